"""One answer on its way to the client: observed as its pool gave it, and changed where it must be.

What was redacted in the request is put back, and usage that only the router asked for is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from router_extproc.dialects.base import AnswerRewriter, Dialect
from router_extproc.pipeline.asked_usage import begin_hiding
from router_extproc.pipeline.observer import AnswerObserver, Observation
from router_extproc.pipeline.parsed_request import joined_headers
from router_extproc.pipeline.restoring import begin_restoring
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.events import AnswerChunk, AnswerStarted
from router_extproc.protocol.headers import HeaderMutation
from router_extproc.protocol.messages import HeadersReply, ImmediateResponse
from router_extproc.protocol.names import MODEL_HEADER, OLD_MODEL_HEADER
from router_extproc.redaction.request import Redacted

_CONTINUE: Final = HeadersReply()
#: Another model's pool answered than the header would say; only an inline stream can still take it off.
_UNNAMED: Final = HeadersReply(HeaderMutation(remove=(MODEL_HEADER, OLD_MODEL_HEADER)))


@dataclass(frozen=True, slots=True)
class AnswerChanges:
    """What may have to be changed in an answer, and the dialect in which it comes."""

    dialect: Dialect
    #: None: nothing was redacted in its request.
    redacted: Redacted | None = None
    #: The models whose pools were asked for usage that the client is not to see.
    usage_asked: frozenset[str] = frozenset()


class PassingAnswer:
    """The answer of one exchange; nothing happens before `begin`."""

    def __init__(self, observer: AnswerObserver) -> None:
        self._observer: Final = observer
        #: None: not begun, not ours to read, or over.
        self._observation: Observation | None = None
        #: One after another; none: the client gets what the pool said.
        self._rewriters: list[AnswerRewriter] = []

    def begin(
        self, event: AnswerStarted, token: WriteToken | str, changes: AnswerChanges | None = None
    ) -> HeadersReply | ImmediateResponse:
        """Begin to observe the answer, and to change one that is to be changed."""
        headers = joined_headers(event.headers)
        observation = self._observer.open(token, event.status, headers, event.origin)
        self._observation = observation
        reply = _CONTINUE if observation is None or not observation.foreign else _UNNAMED
        self._finish_if(last=event.last)
        return reply if changes is None else self._begin_changes(event, reply, changes, observation)

    def _begin_changes(
        self,
        event: AnswerStarted,
        reply: HeadersReply,
        changes: AnswerChanges,
        observation: Observation | None,
    ) -> HeadersReply | ImmediateResponse:
        """The reply to an answer's headers, which says whether its chunks will change."""
        hides = changes.usage_asked and _may_be_of(observation, changes.usage_asked)
        rewriters = [begin_hiding(changes.dialect, event)] if hides else []
        if changes.redacted is not None:
            if observation is not None:
                observation.tally = changes.redacted.tally
            begun = begin_restoring(changes.redacted, changes.dialect, event)
            if isinstance(begun, ImmediateResponse):
                return begun
            rewriters.append(begun)
        self._rewriters = [each for each in rewriters if each is not None]
        return replace(reply, body_changes=True) if self._rewriters else reply

    def feed(self, event: AnswerChunk) -> bytes | None:
        """Observe the next bytes; what the client gets in their place, or None: the same."""
        changed = self._changed(event) if self._rewriters else None
        if self._observation is not None:
            if event.body:
                self._observation.feed(event.body)
            self._finish_if(last=event.last)
        return changed

    def _changed(self, event: AnswerChunk) -> bytes:
        """What takes the place of a chunk."""
        body = event.body
        for rewriter in self._rewriters:
            body = rewriter.feed(body, last=event.last)
        return body

    def break_off(self) -> None:
        """The stream closed; an answer that is still open is reported and not stored."""
        if self._observation is not None:
            self._observation.break_off()

    def _finish_if(self, *, last: bool) -> None:
        if last and self._observation is not None:
            self._observation.finish()
            self._observation = None


def _may_be_of(observation: Observation | None, models: frozenset[str]) -> bool:
    """Whether one of these models may have answered, as far as it is known which did."""
    return observation is None or observation.foreign or observation.model in models
