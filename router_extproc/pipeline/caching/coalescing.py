"""Coalescing: equal requests that miss at the same time wait for the first one's answer.

It is not a lock and not a cache: who has waited looks into the cache again. The rules it keeps: every
wait is bounded and ends with what it waits for, stored or not; and so are the requests that may wait.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Final

from router_extproc.cache.base import Fingerprint
from router_extproc.clock import Clock

#: Answers that may be waited for at once; requests beyond lead nobody.
FLIGHTS_MAX: Final = 1024
#: From the end of the first request's exchange until its answer is given up: the observer may be a little
#: behind, and another worker's entry takes a moment to reach the backend.
GRACE_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Flight:
    """One forwarded request whose answer others may wait for."""

    key: Fingerprint
    #: Monotonic.
    started_s: float
    over: asyncio.Event = field(default_factory=asyncio.Event)


@dataclass(frozen=True, slots=True)
class Leading:
    """This request is the first: tell when its exchange is over."""

    flight: Flight


@dataclass(frozen=True, slots=True)
class Following:
    """The same was asked before, and may be answered within `left_s`."""

    flight: Flight
    left_s: float


class Flights:
    """The flights of one worker; to be used where the event loop runs."""

    def __init__(self, clock: Clock, *, wait_s: float, waiters_max: int) -> None:
        """`wait_s`: from the first request on; `waiters_max`: requests that wait at once."""
        self._clock: Final = clock
        self._wait_s: Final = wait_s
        self._waiters_max: Final = waiters_max
        self._flights: dict[Fingerprint, Flight] = {}
        #: The last FLIGHTS_MAX flights that ended, and when; the oldest first.
        self._ended: dict[Fingerprint, tuple[Flight, float]] = {}
        self._waiting = 0

    def board(self, key: Fingerprint, *, asked_s: float) -> Leading | Following | None:
        """The place of a request that missed; None: it goes on as if it were alone.

        asked_s: monotonic, when it began to look. An answer that came since then is not to be waited for,
        but looked for again.
        """
        now_s = self._clock.monotonic_s()
        flight = self._flights.get(key)
        if flight is None:
            return self._just_ended(key, asked_s) or self._lead(key, now_s)
        left_s = flight.started_s + self._wait_s - now_s
        if left_s <= 0 or self._waiting >= self._waiters_max:
            return None
        return Following(flight, left_s)

    def _just_ended(self, key: Fingerprint, asked_s: float) -> Following | None:
        ended = self._ended.get(key)
        if ended is None or ended[1] < asked_s:
            return None
        return Following(ended[0], 0.0)

    def _lead(self, key: Fingerprint, now_s: float) -> Leading | None:
        if len(self._flights) >= FLIGHTS_MAX:
            return None
        flight = self._flights[key] = Flight(key, now_s)
        return Leading(flight)

    async def follow(self, following: Following) -> None:
        """Wait until the flight is over or the time is up; cancelled, it leaves nothing behind."""
        self._waiting += 1
        try:
            async with asyncio.timeout(following.left_s):
                await following.flight.over.wait()
        except TimeoutError:
            pass
        finally:
            self._waiting -= 1

    async def watch(self, leading: Leading) -> None:
        """Wait until the answer has been seen, for as long as anybody may wait for it."""
        try:
            async with asyncio.timeout(self._wait_s):
                await leading.flight.over.wait()
        except TimeoutError:
            self._end(leading.flight)

    def land(self, key: Fingerprint) -> None:
        """The answer was seen to its end, or broke off: nobody waits for it any longer."""
        flight = self._flights.get(key)
        if flight is not None:
            self._end(flight)

    def leave(self, leading: Leading) -> None:
        """The first request's stream is over; if its answer was not seen yet, it has GRACE_S."""
        flight = leading.flight
        if not flight.over.is_set():
            asyncio.get_running_loop().call_later(GRACE_S, self._end, flight)

    def _end(self, flight: Flight) -> None:
        flight.over.set()
        if self._flights.get(flight.key) is not flight:
            return
        del self._flights[flight.key]
        self._ended.pop(flight.key, None)
        self._ended[flight.key] = (flight, self._clock.monotonic_s())
        if len(self._ended) > FLIGHTS_MAX:
            del self._ended[next(iter(self._ended))]
