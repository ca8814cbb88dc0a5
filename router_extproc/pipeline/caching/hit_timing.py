"""How long misses take, so that a hit can take as long.

A hit is delayed for as long as a recent miss of the same model took, drawn at random, so that the times of
hits spread as those of misses do; and never for longer than `max_s`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final

#: Recent misses that are remembered, for each model and each way to answer.
MISSES_MAX: Final = 64


class HitTiming:
    """Recent misses of one worker."""

    def __init__(self, *, max_s: float, chance: Callable[[], float]) -> None:
        """`chance`: a number from 0 to below 1, each as likely as another."""
        self._max_s = max_s
        self._chance: Final = chance
        self._misses: dict[tuple[str, bool], deque[float]] = {}

    @property
    def max_s(self) -> float:
        """No hit is delayed for longer."""
        return self._max_s

    def follow(self, *, max_s: float) -> None:
        """Delay no hit for longer than this from now on."""
        self._max_s = max_s

    def note(self, model: str, duration_s: float, *, streamed: bool) -> None:
        """Remember how long a pool's whole answer took."""
        self._misses.setdefault((model, streamed), deque(maxlen=MISSES_MAX)).append(duration_s)

    def delay_s(self, model: str, spent_s: float, *, streamed: bool) -> float:
        """How much longer a hit must take; while no miss is known, the longest delay that is allowed."""
        misses = self._misses.get((model, streamed))
        drawn = self._max_s if not misses else misses[int(self._chance() * len(misses))]
        return max(0.0, min(drawn, self._max_s) - spent_s)
