"""Coalescing: equal requests that miss at the same time wait for the answer to the first of them.

A request that has waited looks into the cache again: it takes what was stored, and otherwise is forwarded.
Every wait has a limit, and so has the number of requests that wait. A request that asks for a stream waits
for a moment only: forwarded, it would have its first words long before the other answer is complete.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from router_extproc.cache.base import Fingerprint
from router_extproc.clock import Clock

#: Answers that may be waited for at once; for those of further requests nobody waits.
PENDING_MAX: Final = 1024
#: Seconds from the end of the first request's exchange until nobody waits for its answer any more: the
#: observer may be a little behind, and another worker's entry takes a moment to reach the backend.
GRACE_S: Final = 0.5
#: Seconds that a request for a stream waits at most. A reply to Envoy is the whole answer, so what the first
#: request has received so far cannot be passed on; a tenth of a second is hardly noticed.
STREAM_WAIT_S: Final = 0.1


@dataclass(frozen=True, slots=True)
class PendingAnswer:
    """One forwarded request whose answer others may wait for."""

    key: Fingerprint
    #: Monotonic.
    started_s: float
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Leader:
    """This request is the first; whoever has it says when its exchange is over."""

    pending: PendingAnswer


@dataclass(frozen=True, slots=True)
class Follower:
    """An equal request was forwarded before; this one waits for its answer for `wait_s`."""

    pending: PendingAnswer
    wait_s: float
    #: By when Envoy gets the reply, whatever else delays it; at least `wait_s`.
    left_s: float


class Coalescer:
    """The pending answers of one worker; to be used where the event loop runs."""

    def __init__(
        self,
        clock: Clock,
        *,
        wait_s: float,
        waiters_max: int,
        pending_max: int = PENDING_MAX,
        grace_s: float = GRACE_S,
    ) -> None:
        """`wait_s`: from the first request on; `waiters_max`: requests that wait at once."""
        self._clock: Final = clock
        self._pending_max: Final = pending_max
        self._grace_s: Final = grace_s
        self._wait_s = wait_s
        self._waiters_max = waiters_max
        self._pending: dict[Fingerprint, PendingAnswer] = {}
        #: The last `pending_max` answers that ended, and when; the oldest first.
        self._ended: dict[Fingerprint, tuple[PendingAnswer, float]] = {}
        self._waiting = 0

    def set_bounds(self, *, wait_s: float, waiters_max: int) -> None:
        """Other bounds, for whoever joins from now on; waits under way keep their own."""
        self._wait_s, self._waiters_max = wait_s, waiters_max

    def join(self, key: Fingerprint, *, asked_s: float, streamed: bool) -> Leader | Follower | None:
        """The place of a request that missed; None: it is forwarded as if it were alone.

        asked_s: monotonic, when its lookup began. An answer that was stored since then needs no wait, only
        another lookup.
        streamed: the client reads the answer as it comes. Only its own wait is short: others may still wait
        for its answer.
        """
        now_s = self._clock.monotonic_s()
        pending = self._pending.get(key)
        if pending is None:
            return self._just_ended(key, asked_s) or self._lead(key, now_s)
        left_s = pending.started_s + self._wait_s - now_s
        if left_s <= 0 or self._waiting >= self._waiters_max:
            return None
        return Follower(pending, min(left_s, STREAM_WAIT_S) if streamed else left_s, left_s)

    def _just_ended(self, key: Fingerprint, asked_s: float) -> Follower | None:
        ended = self._ended.get(key)
        if ended is None or ended[1] < asked_s:
            return None
        return Follower(ended[0], 0.0, 0.0)

    def _lead(self, key: Fingerprint, now_s: float) -> Leader | None:
        if len(self._pending) >= self._pending_max:
            return None
        pending = self._pending[key] = PendingAnswer(key, now_s)
        return Leader(pending)

    async def follow(self, follower: Follower) -> None:
        """Wait until the pending answer is over or the time is up; cancelled, it leaves nothing behind."""
        self._waiting += 1
        try:
            async with asyncio.timeout(follower.wait_s):
                await follower.pending.over.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def watch(self, leader: Leader) -> None:
        """Wait until the answer has been seen, for as long as anybody may wait for it."""
        try:
            async with asyncio.timeout(self._wait_s):
                await leader.pending.over.wait()
        except TimeoutError:
            self._end(leader.pending)

    def finish(self, key: Fingerprint) -> None:
        """The answer ended, or broke off: nobody waits for it any longer."""
        pending = self._pending.get(key)
        if pending is not None:
            self._end(pending)

    def abandon(self, leader: Leader) -> None:
        """The first request's stream is over; if its answer was not seen yet, it has `grace_s`."""
        pending = leader.pending
        if not pending.over.is_set():
            asyncio.get_running_loop().call_later(self._grace_s, self._end, pending)

    def _end(self, pending: PendingAnswer) -> None:
        pending.over.set()
        if self._pending.get(pending.key) is not pending:
            return
        del self._pending[pending.key]
        self._ended.pop(pending.key, None)
        self._ended[pending.key] = (pending, self._clock.monotonic_s())
        if len(self._ended) > self._pending_max:
            del self._ended[next(iter(self._ended))]
