"""Budgets of requests within any hour."""

from __future__ import annotations

from collections import deque
from typing import Final

HOUR_S: Final = 3600.0


class HourlyBudgets:
    """Counts requests under names; never more under one than its budget within any hour."""

    def __init__(self) -> None:
        self._taken: Final[dict[str, deque[float]]] = {}

    def take(self, name: str, per_hour: int, now_s: float, *, requests: int = 1) -> bool:
        """Whether so many more requests are within the budget; if so, they are counted.

        now_s: by a clock that never goes back.
        """
        taken = self._taken.setdefault(name, deque())
        while taken and taken[0] <= now_s - HOUR_S:
            taken.popleft()
        if len(taken) + requests > per_hour:
            return False
        taken.extend([now_s] * requests)
        return True

    def give_back(self, name: str) -> None:
        """Uncount the request that was counted last: it was not sent."""
        taken = self._taken.get(name)
        if taken:
            taken.pop()

    def keep(self, names: frozenset[str]) -> None:
        """Forget the budgets of other names: no rule has them any more."""
        for name in self._taken.keys() - names:
            del self._taken[name]
