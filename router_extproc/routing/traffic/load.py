"""How many requests each model has in flight, over all workers.

One worker forwards a request and another one may see its answer, so each counts what it sees and the counts
are added. A request whose answer nobody sees (its client has gone) is forgotten after ANSWERED_WITHIN_S.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

#: A request that has no answer after so long does not count any more.
ANSWERED_WITHIN_S: Final = 120.0
#: Requests that were forwarded within so many seconds are counted together, to be forgotten together.
_TOGETHER_S: Final = 10.0
#: More are in no state and no message, whatever a replica says.
KEYS_MAX: Final = 10_000

#: Model and time, to what was forwarded less what was answered.
Changes: TypeAlias = Sequence[tuple[str, int, int]]


class Load:
    """Counts; times are of the wall clock, which workers share."""

    def __init__(self) -> None:
        self._counts: Final[Counter[tuple[str, int]]] = Counter()
        self._unsent: Final[Counter[tuple[str, int]]] = Counter()

    def forwarded(self, model: str, at_s: float) -> None:
        """A request was sent."""
        self._count(model, at_s, 1)

    def answered(self, model: str, forwarded_s: float) -> None:
        """The answer to a request that was sent then has ended."""
        self._count(model, forwarded_s, -1)

    def of(self, models: Iterable[str], now_s: float) -> dict[str, int]:
        """Requests in flight by model, none below zero."""
        self._forget(now_s)
        totals = dict.fromkeys(models, 0)
        for (model, _), count in self._counts.items():
            if model in totals:
                totals[model] += count
        return {model: max(0, count) for model, count in totals.items()}

    def unsent(self) -> Changes:
        """What was counted here since the last call."""
        changes = [(model, time, count) for (model, time), count in self._unsent.items() if count]
        self._unsent.clear()
        return changes

    def add(self, changes: Changes) -> None:
        """Take over what another worker has counted."""
        for model, time, count in changes:
            if len(self._counts) < KEYS_MAX:
                self._counts[model, time] += count

    def _count(self, model: str, at_s: float, by: int) -> None:
        key = model, int(at_s // _TOGETHER_S)
        for counts in (self._counts, self._unsent):
            if key in counts or len(counts) < KEYS_MAX:
                counts[key] += by

    def _forget(self, now_s: float) -> None:
        """Drop what is too old, and what a clock that has jumped back since puts into the future."""
        now, oldest = int(now_s // _TOGETHER_S), int((now_s - ANSWERED_WITHIN_S) // _TOGETHER_S)
        for counts in (self._counts, self._unsent):
            for key in [key for key in counts if not oldest <= key[1] <= now + 1]:
                del counts[key]
