"""Time as a value that is handed in: the clock, and the budget of one exchange.

It is not a scheduler. Nothing else in the package reads the time, so tests move it by hand.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


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
