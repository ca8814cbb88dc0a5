"""Simulated time."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count
from typing import Final

#: Any moment; that of the simulation's begin.
_WALL_S: Final = 1_700_000_000.0


class SimulatedClock:
    """Jumps from one thing that happens to the next. Fits clock.Clock."""

    def __init__(self) -> None:
        self._now_s = 0.0
        self._waiting: Final[list[tuple[float, int, Callable[[], None]]]] = []
        self._numbers: Final = count()

    def monotonic_s(self) -> float:
        """See Clock."""
        return self._now_s

    def wall_s(self) -> float:
        """See Clock."""
        return _WALL_S + self._now_s

    def advance(self, seconds: float) -> None:
        """Let time pass in which nothing is to happen."""
        self._now_s += seconds

    def at(self, at_s: float, happen: Callable[[], None]) -> None:
        """Let something happen then; of two at one time the first said happens first."""
        heapq.heappush(self._waiting, (max(at_s, self._now_s), next(self._numbers), happen))

    def after(self, seconds: float, happen: Callable[[], None]) -> None:
        """Let something happen in so many seconds."""
        self.at(self._now_s + seconds, happen)

    def run(self) -> None:
        """Let everything happen, and what follows from it."""
        while self._waiting:
            self._now_s, _, happen = heapq.heappop(self._waiting)
            happen()
