"""Usage that is asked for on a client's behalf, where the stream's answer can be changed on its way back.

Without it, nobody knows what a streamed answer cost, and it serves no client that reads usage. The client
gets no more than it asked for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from router_extproc.dialects.base import AnswerRewriter, Dialect
from router_extproc.llm.edits import Edit
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.protocol.events import AnswerStarted
from router_extproc.routing.catalogue import Catalogue, Target

_PLAIN: Final = frozenset({"", "identity"})


def usage_edits(parsed: ParsedRequest, target: Target) -> Sequence[Edit]:
    """The edits that ask this target's pool for usage; none where it is not to be asked."""
    usage = parsed.raw.dialect.usage_on_request
    if usage is None or not target.asks_usage or parsed.raw.only_observed:
        return ()
    return usage.ask(parsed.request)


def asked_models(parsed: ParsedRequest, catalogue: Catalogue, models: Iterable[str]) -> frozenset[str]:
    """Those of the models whose pools are asked for usage that the client is not to see."""
    targets = ((model, catalogue.targets.get(model)) for model in models)
    return frozenset(model for model, target in targets if target is not None and usage_edits(parsed, target))


def begin_hiding(dialect: Dialect, event: AnswerStarted) -> AnswerRewriter | None:
    """What takes usage out of this answer; None: it passes as it is, as what cannot be read does."""
    usage, coding = dialect.usage_on_request, event.headers.get("content-encoding") or ""
    if usage is None or event.last or coding.strip().lower() not in _PLAIN:
        return None
    return usage.hide(event.headers.get("content-type") or "")
