"""One HTTP exchange on one ext_proc stream: which message may come, which reply may go.

Sans-IO: pass Envoy's messages to `receive`, act on the events that it returns, pass replies to `send`.
`direction.TRANSITIONS` says which message may follow which; `send` checks a reply against the oldest
unanswered message. What `send` returns is complete: the codec only encodes it.
Source: external_processor.proto, service ExternalProcessor; ext_proc.proto, ExternalProcessor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from router_extproc.errors import LocalProtocolError, RemoteProtocolError
from router_extproc.protocol.answer_start import start_answer
from router_extproc.protocol.direction import DirectionState, Phase
from router_extproc.protocol.events import (
    AnswerChunk,
    BodyReceived,
    BodyTooLarge,
    Event,
    RequestEnded,
    RequestStarted,
)
from router_extproc.protocol.messages import (
    BodyReply,
    HeadersReply,
    ImmediateResponse,
    Message,
    MoreTime,
    Part,
    Reply,
    RequestBody,
    RequestHeaders,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
)
from router_extproc.protocol.modes import (
    LET_PASS,
    REFUSED_REQUEST_BODY_MODES,
    BodyMode,
    BodyModes,
    Direction,
    ProcessingMode,
    Role,
)
from router_extproc.protocol.replies import PART_OF, UNCHANGED, PartReply, complete

#: By so much may a request be longer than a client's may be, once it was written for a pool.
EDITED_BYTES_MAX: Final = 512 * 1024

#: When a deciding stream is over, with and without a body; trailers are none of our business.
_BODY_SEEN: Final = frozenset({Phase.WHOLE_BODY, Phase.DONE})
_HEADERS_SEEN: Final = frozenset({Phase.HEADERS, *_BODY_SEEN})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A reply that may be written, and the message that it answers."""

    direction: Direction
    reply: Reply


class Exchange:
    """The protocol of one stream. Not reusable.

    `max_body_bytes` bounds the request's body.
    """

    __slots__ = (
        "_announced_too_large",
        "_answer_changes",
        "_answered",
        "_body_awaited",
        "_body_bytes",
        "_let_pass",
        "_max_body_bytes",
        "_request",
        "_response",
        "role",
    )

    def __init__(self, role: Role, *, max_body_bytes: int) -> None:
        #: What the stream is for.
        self.role = role
        self._max_body_bytes = max_body_bytes + (EDITED_BYTES_MAX if role is Role.RETRY else 0)
        self._request = DirectionState(BodyMode.STREAMED if role is Role.OBSERVE else BodyMode.BUFFERED)
        self._response = DirectionState(BodyMode.STREAMED)
        self._announced_too_large = False
        self._body_awaited = True
        self._body_bytes = 0
        self._let_pass = False
        self._answered = False
        self._answer_changes = False

    @property
    def ended(self) -> bool:
        """True when nothing that matters will come: close the stream, Envoy keeps it open for long."""
        if self._answered or self._let_pass:
            return True
        if self.role in {Role.DECIDE, Role.RETRY}:
            return self._request.received in self._last_phases() and not self._request.pending
        return self._response.received is Phase.DONE and not self._response.pending

    def _last_phases(self) -> frozenset[Phase]:
        return _BODY_SEEN if self._body_awaited else _HEADERS_SEEN

    def _state(self, direction: Direction) -> DirectionState:
        return self._request if direction is Direction.REQUEST else self._response

    # ── from Envoy ──

    def receive(self, message: Message) -> Event:
        """Take Envoy's next message.

        Raises:
            RemoteProtocolError: the message may not come here.
        """
        if self._answered:
            raise RemoteProtocolError("a message after the immediate response")
        self._check_filter(message)
        state = self._state(message.direction)
        state.receive(message)
        if self.role is not Role.OBSERVE:
            state.pending.append(message.part)
        return self._event_of(message)

    def _event_of(self, message: Message) -> Event:
        match message:
            case ResponseBody():
                return AnswerChunk(message.body, message.end_of_stream)
            case ResponseHeaders():
                return start_answer(message)
            case ResponseTrailers():
                return AnswerChunk(b"", last=True)
            case RequestHeaders():
                return self._start_request(message)
            case RequestBody():
                return self._take_body(message)
            case trailers:
                return RequestEnded(trailers.headers)

    def _check_filter(self, message: Message) -> None:
        """The filter must be configured as the stream's role says."""
        if message.observability is not (self.role is Role.OBSERVE):
            raise RemoteProtocolError(f"observability_mode does not fit the role {self.role.value}")
        if message.modes is not None and self.role is not Role.OBSERVE and self._untouched:
            self._take_modes(message.modes)

    @property
    def _untouched(self) -> bool:
        return self._request.received is Phase.START and self._response.received is Phase.START

    def _take_modes(self, modes: BodyModes) -> None:
        refused = REFUSED_REQUEST_BODY_MODES.get(modes.request)
        if refused is not None:
            raise RemoteProtocolError(f"request_body_mode {modes.request.name} {refused}")
        if modes.response in {BodyMode.FULL_DUPLEX_STREAMED, BodyMode.GRPC}:
            raise RemoteProtocolError(f"response_body_mode {modes.response.name} would lose the answer")
        self._body_awaited = modes.request is not BodyMode.NONE
        if self._body_awaited:
            self._request.body_mode = modes.request

    def _start_request(self, message: RequestHeaders) -> RequestStarted:
        announced = message.headers.content_length() or 0
        self._announced_too_large = announced > self._max_body_bytes
        return RequestStarted(
            message.headers, message.end_of_stream, self._announced_too_large, message.metadata
        )

    def _take_body(self, message: RequestBody) -> BodyReceived | BodyTooLarge:
        self._body_bytes += len(message.body)
        if self._body_bytes > self._max_body_bytes:
            return BodyTooLarge(self._body_bytes)
        return BodyReceived(message.body, message.end_of_stream)

    # ── to Envoy ──

    def send(self, reply: Reply, to: Direction = Direction.REQUEST) -> Outgoing:
        """Check a reply to the oldest unanswered message of a direction, and complete it.

        Raises:
            LocalProtocolError: the reply may not go here; nothing has changed.
        """
        if self.role is Role.OBSERVE:
            raise LocalProtocolError("nobody waits for replies in observability mode")
        if self._answered:
            raise LocalProtocolError("a reply after the immediate response")
        if isinstance(reply, ImmediateResponse):
            return self._send_immediate(reply, to)
        if isinstance(reply, MoreTime):
            return self._ask_time(reply, to)
        if to is Direction.REQUEST:
            self._check_limit(reply)
        completed = complete(reply, to, self._state(to).body_mode)
        self._check_announced(completed, to)
        self._settle(completed, to)
        if to is Direction.REQUEST and isinstance(completed, HeadersReply):
            self._take_override(completed.mode_override)
        return Outgoing(to, completed)

    def _take_override(self, mode: ProcessingMode | None) -> None:
        if mode is None:
            return
        self._body_awaited = mode.request_body is not BodyMode.NONE
        self._let_pass = mode == LET_PASS

    def _check_announced(self, reply: PartReply, to: Direction) -> None:
        """A chunk of an answer may change only where the reply to its headers took content-length away."""
        if to is Direction.REQUEST:
            return
        if isinstance(reply, HeadersReply):
            self._answer_changes = reply.body_changes
        elif isinstance(reply, BodyReply) and reply.body is not None and not self._answer_changes:
            raise LocalProtocolError("a chunk of an answer that was not announced to change")

    def go_on(self, to: Direction) -> Outgoing:
        """Reply to the oldest unanswered message of a direction, changing nothing.

        Raises:
            LocalProtocolError: none waits.
        """
        pending = self._state(to).pending
        if not pending:
            raise LocalProtocolError(f"nothing of the {to.value} waits for a reply")
        return self.send(UNCHANGED[pending[0]], to)

    def _check_limit(self, reply: PartReply) -> None:
        """A body over the limit is refused with 413, or not asked for."""
        if self._body_bytes > self._max_body_bytes:
            raise LocalProtocolError("a body over the limit must be refused")
        override = reply.mode_override if isinstance(reply, HeadersReply) else None
        if self._announced_too_large and override is not None and override.request_body is not BodyMode.NONE:
            raise LocalProtocolError("a body announced over the limit must not be asked for")

    def _settle(self, reply: PartReply, to: Direction) -> None:
        """The reply must be of the kind of the oldest message that Envoy waits for."""
        state, part = self._state(to), PART_OF[type(reply)]
        if not state.pending or state.pending[0] is not part:
            raise LocalProtocolError(f"no {to.value} {part.value} waits for a reply")
        state.pending.popleft()
        state.time_asked = False

    def _ask_time(self, reply: MoreTime, to: Direction) -> Outgoing:
        state = self._state(to)
        if not state.pending:
            raise LocalProtocolError("more time for a reply that nobody waits for")
        if state.time_asked:
            raise LocalProtocolError("more time a second time: Envoy ignores it")
        state.time_asked = True
        return Outgoing(to, reply)

    def ask_ahead(self, more: MoreTime) -> Outgoing:
        """Ask for time for the reply to a body that is on its way.

        Envoy sends a body that it has at once when it reads the reply to the headers, so it counts already
        when it reads this; without a body it pays no heed. A long way here must not make a reply late.

        Raises:
            LocalProtocolError: no body was asked for.
        """
        if self._request.received is not Phase.HEADERS or not self._body_awaited or self._request.pending:
            raise LocalProtocolError("more time for the reply to a body that nobody asked for")
        return Outgoing(Direction.REQUEST, more)

    def _send_immediate(self, reply: ImmediateResponse, to: Direction) -> Outgoing:
        state = self._state(to)
        if not state.pending or (to is Direction.RESPONSE and state.pending[0] is not Part.HEADERS):
            raise LocalProtocolError("an immediate response that nobody waits for, or too late")
        self._answered = True
        return Outgoing(to, reply)
