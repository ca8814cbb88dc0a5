"""Time as a value that is handed in: the clock, the budget of one exchange, the waits between attempts.

Nothing else in the layers below `process` reads the time, so tests move it by hand.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

#: Less than that between two looks at the wall clock is no jump, but its being kept right little by little.
JUMP_S: Final = 2.0


class Clock(Protocol):
    """Where the time comes from."""

    def monotonic_s(self) -> float:
        """Seconds that only ever grow; for durations and deadlines."""
        ...

    def wall_s(self) -> float:
        """Seconds since the Unix epoch; for TTL, age and anything that is stored."""
        ...


class SystemClock:
    """The machine's clock."""

    def monotonic_s(self) -> float:
        """See Clock."""
        return time.monotonic()

    def wall_s(self) -> float:
        """See Clock."""
        return time.time()


class WatchedClock:
    """A clock that tells when its wall time jumps beside its monotonic time, at the next look at it."""

    def __init__(self, clock: Clock, jumped: Callable[[float], None]) -> None:
        """`jumped` is called with the seconds, forward or (below 0) back; it is quick and never raises."""
        self._clock: Final = clock
        self._jumped: Final = jumped
        self._offset_s = clock.wall_s() - clock.monotonic_s()

    def monotonic_s(self) -> float:
        """See Clock."""
        return self._clock.monotonic_s()

    def wall_s(self) -> float:
        """See Clock."""
        wall_s = self._clock.wall_s()
        offset_s = wall_s - self._clock.monotonic_s()
        moved_s, self._offset_s = offset_s - self._offset_s, offset_s
        if abs(moved_s) >= JUMP_S:
            self._jumped(moved_s)
        return wall_s


@dataclass(frozen=True, slots=True)
class Budget:
    """What is left of the time that one exchange may take: every wait on another system asks it."""

    clock: Clock
    deadline_s: float

    @classmethod
    def of(cls, clock: Clock, seconds: float) -> Budget:
        """A budget of `seconds` from now."""
        return cls(clock, clock.monotonic_s() + seconds)

    def left_s(self) -> float:
        """Seconds left, never below zero."""
        return max(0.0, self.deadline_s - self.clock.monotonic_s())

    def part(self, seconds: float) -> Budget:
        """A budget of at most `seconds` from now, and never past this one's end."""
        return Budget(self.clock, min(self.deadline_s, self.clock.monotonic_s() + seconds))


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait between attempts: each wait is `factor` times the one before, up to `max_s`.

    The caller keeps the last wait, 0 before the first failure and after a success.
    """

    first_s: float
    max_s: float
    factor: float = 2.0

    def after(self, waited_s: float) -> float:
        """The next wait, after one of `waited_s`."""
        return min(self.factor * waited_s, self.max_s) if waited_s else self.first_s
