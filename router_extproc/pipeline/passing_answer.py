"""One answer on its way to the client: observed as its pool gave it, and changed where it was redacted."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from router_extproc.dialects.base import Dialect
from router_extproc.pipeline.observer import AnswerObserver, Observation
from router_extproc.pipeline.parsed_request import joined_headers
from router_extproc.pipeline.restoring import Restoring, begin_restoring
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
class ToRestore:
    """What was redacted in a request, and the dialect in which its answer comes."""

    redacted: Redacted
    dialect: Dialect


class PassingAnswer:
    """The answer of one exchange; nothing happens before `begin`."""

    def __init__(self, observer: AnswerObserver) -> None:
        self._observer: Final = observer
        #: None: not begun, not ours to read, or over.
        self._observation: Observation | None = None
        #: None: the client gets what the pool said.
        self._restoring: Restoring | None = None

    def begin(
        self, event: AnswerStarted, token: WriteToken | str, restore: ToRestore | None = None
    ) -> HeadersReply | ImmediateResponse:
        """Begin to observe the answer, and to change one that is to be changed."""
        headers = joined_headers(event.headers)
        observation = self._observer.open(token, event.status, headers, event.origin)
        self._observation = observation
        reply = _CONTINUE if observation is None or not observation.foreign else _UNNAMED
        self._finish_if(last=event.last)
        return reply if restore is None else self._restore(event, reply, restore)

    def _restore(
        self, event: AnswerStarted, reply: HeadersReply, restore: ToRestore
    ) -> HeadersReply | ImmediateResponse:
        """The reply to an answer's headers, which says whether its chunks will change."""
        if self._observation is not None:
            self._observation.tally = restore.redacted.tally
        begun = begin_restoring(restore.redacted, restore.dialect, event)
        if isinstance(begun, ImmediateResponse):
            return begun
        self._restoring = begun
        return reply if begun is None else replace(reply, body_changes=True)

    def feed(self, event: AnswerChunk) -> bytes | None:
        """Observe the next bytes; what the client gets in their place, or None: the same."""
        changed = None if self._restoring is None else self._restoring.change(event)
        if self._observation is not None:
            if event.body:
                self._observation.feed(event.body)
            self._finish_if(last=event.last)
        return changed

    def break_off(self) -> None:
        """The stream closed; an answer that is still open is reported and not stored."""
        if self._observation is not None:
            self._observation.break_off()

    def _finish_if(self, *, last: bool) -> None:
        if last and self._observation is not None:
            self._observation.finish()
            self._observation = None
