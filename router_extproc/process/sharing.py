"""What workers share: every worker records, one keeper orders, all apply the same events in that order.

The keeper (worker 0, which has the admin port) asks every other worker each SHARE_S over the sockets that
exist. A member answers with what it has recorded since, and keeps it until the keeper has acknowledged it:
nothing is lost when an answer is, and nothing counts twice, because a member numbers its events. The keeper
puts all events into one order, applies them, and tells every member that order; a member that has just
started, or was away for too long, gets the whole state first. So all workers hold the same state, at most
two rounds behind. What a killed worker has recorded since the last round is lost.

Adding a value: a class that fits `SharedValue`, and one line where the worker puts them together.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final, Protocol

import orjson

from router_extproc.llm.answer import JsonValue
from router_extproc.process.json_pieces import encode_in_turns

#: Between two rounds.
SHARE_S: Final = 0.4
#: Events that wait for the keeper, or that the keeper still tells one by one; older ones are dropped, or are
#: in the state that a member gets in place of them.
EVENTS_MAX: Final = 10_000

#: Asks worker N with this message; its answer, or None.
Ask = Callable[[int, bytes], Awaitable[bytes | None]]


class SharedValue(Protocol):
    """One value that workers share, as JSON; ValueError says that something cannot be read."""

    @property
    def name(self) -> str:
        """Its name among the shared values."""
        ...

    @property
    def everywhere(self) -> bool:
        """True: every worker applies every event. False: the keeper alone does."""
        ...

    def collect(self) -> list[JsonValue]:
        """What this worker has recorded since it was last asked, the oldest first; it is not asked again."""
        ...

    def apply(self, event: JsonValue) -> None:
        """Take over an event of any worker."""
        ...

    def kept(self) -> object:
        """The whole state as it is now, for a restart or for another worker.

        It is JSON, or what becomes JSON (`json_pieces`). It is encoded once, later: nothing in it may change.
        """
        ...

    def take_back(self, kept: JsonValue) -> None:
        """Take over a whole state in place of the own one."""
        ...


@dataclass(slots=True)
class _Peer:
    """What the keeper knows of a member."""

    #: Of its process; another one begins to count anew.
    incarnation: str = ""
    #: The last of its events that was taken.
    taken: int = 0
    #: Events of the common order that it has applied; None: it needs the whole state.
    applied: int | None = None


class Member:
    """A worker that answers the keeper."""

    def __init__(self, values: Sequence[SharedValue]) -> None:
        self._values: Final = {value.name: value for value in values}
        self._incarnation: Final = secrets.token_hex(8)
        self._keeper = ""
        self._applied: int | None = None
        self._numbers = 0
        self._outbox: Final[deque[tuple[int, str, JsonValue]]] = deque(maxlen=EVENTS_MAX)
        self._emptied: Final = asyncio.Event()

    def answer(self, message: bytes) -> bytes:
        """Apply what the keeper tells, and tell what was recorded here.

        Raises:
            ValueError: not a message of a keeper.
        """
        told = _read(message)
        if told.get("to") == self._incarnation:
            self._acknowledge(_number(told.get("taken")))
        self._follow(told)
        self._collect()
        if not self._outbox:
            self._emptied.set()
        return orjson.dumps(
            {
                "incarnation": self._incarnation,
                "keeper": self._keeper,
                "applied": self._applied,
                "events": [list(event) for event in self._outbox],
            }
        )

    async def handed_over(self, timeout_s: float) -> None:
        """Wait until the keeper has all that was recorded here, or the time is up."""
        self._collect()
        if self._outbox:
            self._emptied.clear()
            with suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._emptied.wait()

    def _acknowledge(self, taken: int) -> None:
        while self._outbox and self._outbox[0][0] <= taken:
            self._outbox.popleft()

    def _collect(self) -> None:
        waiting = {name for _, name, _ in self._outbox}
        for value in self._values.values():
            # A sum is not sent again in parts: what is added meanwhile waits where it is added up.
            if value.everywhere or value.name not in waiting:
                for event in value.collect():
                    self._numbers += 1
                    self._outbox.append((self._numbers, value.name, event))

    def _follow(self, told: Mapping[str, JsonValue]) -> None:
        keeper, state = str(told.get("keeper")), told.get("state")
        if keeper != self._keeper:
            self._keeper, self._applied = keeper, None
        if isinstance(state, dict):
            for name, kept in state.items():
                if name in self._values:
                    self._values[name].take_back(kept)
            self._applied = _number(told.get("state_at"))
        if self._applied is not None:
            self._apply(_number(told.get("first")), told.get("events"))

    def _apply(self, first: int, events: JsonValue) -> None:
        if self._applied is None or not isinstance(events, list):
            return
        if first > self._applied:
            self._applied = None  # something was missed: the keeper sends the whole state
            return
        for name, event in map(_named, events[self._applied - first :]):
            if name in self._values:
                self._values[name].apply(event)
            self._applied += 1


@dataclass(slots=True)
class _Order:
    """The latest events of the common order."""

    #: Number of the first that is still told one by one.
    first: int = 0
    events: deque[tuple[str, JsonValue]] = field(default_factory=deque)

    @property
    def end(self) -> int:
        return self.first + len(self.events)

    def add(self, name: str, event: JsonValue) -> None:
        self.events.append((name, event))
        if len(self.events) > EVENTS_MAX:
            self.events.popleft()
            self.first += 1

    def since(self, number: int) -> list[JsonValue]:
        return [list(event) for event in list(self.events)[number - self.first :]]


class Keeper:
    """The worker that puts all events into one order."""

    def __init__(self, values: Sequence[SharedValue], peers: Sequence[int], ask: Ask) -> None:
        self._values: Final = {value.name: value for value in values}
        self._incarnation: Final = secrets.token_hex(8)
        self._order: Final = _Order()
        self._peers: Final = {worker: _Peer() for worker in peers}
        self._ask: Final = ask

    async def run(self) -> None:
        """Exchange until cancelled."""
        while True:
            await self.exchange()
            await asyncio.sleep(SHARE_S)

    async def exchange(self) -> None:
        """One round with every member; one that does not answer is asked again in the next."""
        for value in self._values.values():
            for event in value.collect():
                self._take(value.name, event)
        await asyncio.gather(*(self._exchange_with(worker, peer) for worker, peer in self._peers.items()))

    async def _exchange_with(self, worker: int, peer: _Peer) -> None:
        answer = await self._ask(worker, await self._message(peer))
        if answer is not None:
            with suppress(ValueError):
                self._hear(peer, _read(answer))

    async def _message(self, peer: _Peer) -> bytes:
        message: dict[str, object] = {
            "keeper": self._incarnation,
            "to": peer.incarnation,
            "taken": peer.taken,
        }
        first = peer.applied
        if first is not None and first >= self._order.first:
            return orjson.dumps(message | {"first": first, "events": self._order.since(first)})
        # The state and its number are of one moment; what is ordered while it is encoded is told next time.
        kept = {name: value.kept() for name, value in self._values.items() if value.everywhere}
        message |= {"state_at": self._order.end, "first": self._order.end, "events": []}
        state = b"".join(await encode_in_turns(kept))
        return orjson.dumps(message | {"state": orjson.Fragment(state)})

    def _hear(self, peer: _Peer, answer: Mapping[str, JsonValue]) -> None:
        incarnation, applied = str(answer.get("incarnation")), answer.get("applied")
        if incarnation != peer.incarnation:
            peer.incarnation, peer.taken = incarnation, 0
        known = answer.get("keeper") == self._incarnation and isinstance(applied, int)
        peer.applied = applied if known and isinstance(applied, int) else None
        events = answer.get("events")
        for number, name, event in map(_numbered, events if isinstance(events, list) else ()):
            if number > peer.taken:
                peer.taken = number
                self._take(name, event)

    def _take(self, name: str, event: JsonValue) -> None:
        value = self._values.get(name)
        if value is None:
            return
        with suppress(ValueError):
            value.apply(event)
            if value.everywhere:
                self._order.add(name, event)


def _read(text: bytes) -> dict[str, JsonValue]:
    document = orjson.loads(text)
    if not isinstance(document, dict):
        raise ValueError("must be an object")  # noqa: TRY004 - what was sent, not how we called
    return document


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) else 0


def _named(event: JsonValue) -> tuple[str, JsonValue]:
    match event:
        case [str(name), value]:
            return name, value
    raise ValueError("must be a name and an event")


def _numbered(event: JsonValue) -> tuple[int, str, JsonValue]:
    match event:
        case [int(number), str(name), value]:
            return number, name, value
    raise ValueError("must be a number, a name and an event")
