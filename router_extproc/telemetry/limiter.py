"""Limits repeated log lines: one in a while for each way to fail, with a count of those in between.

Nothing is lost silently: suppressed lines are counted in the next line of the same way to fail, when that way
is forgotten for a newer one, or at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from router_extproc.clock import Clock

EVERY_S: Final = 10.0
#: Ways that are remembered; the one whose line is the oldest is forgotten first.
WAYS_MAX: Final = 256

WayT = TypeVar("WayT")


@dataclass(slots=True)
class _Said:
    at_s: float
    suppressed: int = 0


class LineLimiter(Generic[WayT]):
    """Says of each line whether to write it."""

    def __init__(self, clock: Clock, tell_rest: Callable[[WayT, int], None]) -> None:
        """tell_rest: called with a way and how many of its lines nobody was told of, at least one."""
        self._clock: Final = clock
        self._tell_rest: Final = tell_rest
        self._said: dict[WayT, _Said] = {}

    def admit(self, way: WayT) -> int | None:
        """How many lines were suppressed since the last one of this way; None: suppress this one, too."""
        now_s, said = self._clock.monotonic_s(), self._said.get(way)
        if said is not None and now_s - said.at_s < EVERY_S:
            said.suppressed += 1
            return None
        self._said.pop(way, None)
        if len(self._said) >= WAYS_MAX:
            self._forget(next(iter(self._said)))
        self._said[way] = _Said(now_s)
        return 0 if said is None else said.suppressed

    def drain(self) -> None:
        """Tell what is left, and begin anew."""
        for way in tuple(self._said):
            self._forget(way)

    def _forget(self, way: WayT) -> None:
        suppressed = self._said.pop(way).suppressed
        if suppressed:
            self._tell_rest(way, suppressed)
