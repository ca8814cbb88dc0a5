"""Requests that ask how many tokens a message would have: read and changed as the message itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from router_extproc.dialects.anthropic_messages import AnthropicMessages
from router_extproc.llm.changes import ParameterChanges, RequestChanges
from router_extproc.llm.edits import Edit
from router_extproc.llm.request import InferenceRequest

#: Of the API, a metric label.
COUNT_TOKENS = "count_tokens"


class CountedMessages(AnthropicMessages):
    """Messages under the counting API's name; only `parse`, `edits` and `render_error` are asked of it."""

    name = COUNT_TOKENS

    def parse(self, body: bytes) -> InferenceRequest:
        """See dialects.base.RequestDialect."""
        return replace(super().parse(body), dialect=COUNT_TOKENS)

    def edits(
        self, request: InferenceRequest, changes: RequestChanges, *, family: str | None
    ) -> Sequence[Edit]:
        """What counts: a system prompt and thinking. Sampling parameters have no place here."""
        return super().edits(request, replace(changes, parameters=ParameterChanges()), family=family)
