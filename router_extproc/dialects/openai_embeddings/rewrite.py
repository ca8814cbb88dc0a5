"""Texts in an answer to an embeddings request: only an error has some."""

from __future__ import annotations

from collections.abc import Sequence

from router_extproc.dialects.base import MakeFilter
from router_extproc.dialects.rewriters import RewrittenEvent, filter_error
from router_extproc.llm.answer import JsonObject


class EmbeddingsRewriter:
    """Fits TextRewriter."""

    def __init__(self, make: MakeFilter) -> None:
        self._make = make

    def rewrite(self, document: JsonObject) -> bool:
        """See TextRewriter; what a pool says of a failure may repeat the request."""
        return filter_error(document, self._make)

    def rewrite_event(self, document: JsonObject) -> RewrittenEvent:
        """See TextRewriter; no answer of this API is a stream, but a failure may be an event all the same."""
        return RewrittenEvent(changed=self.rewrite(document))

    def flush(self) -> Sequence[JsonObject]:
        """See TextRewriter."""
        return ()
