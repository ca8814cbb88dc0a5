"""The outcomes of all decisions that learn from them: added up, aged, bounded.

Workers apply each other's outcomes in one order (`process.shared_outcomes`), so they agree; a worker alone
applies its own at once. Bounded: names are those of the configuration, and a decision's window
(`routing.outcomes.limits`) takes no more than OUTCOMES_MAX.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from router_extproc.clock import Clock
from router_extproc.routing.outcomes.limits import OUTCOMES_MAX, Left, Window
from router_extproc.routing.outcomes.seen import (
    NO_OUTCOMES,
    NONE_SEEN,
    DecisionOutcomes,
    Learning,
    ModelOutcomes,
    OutcomeSeen,
    OutcomeSums,
    Source,
)

#: Outcomes of one worker that wait to be shared; older ones are dropped.
WAITING_MAX: Final = 1_000
#: Of a digest in hexadecimal: nothing longer is taken over from another worker.
DIGEST_CHARS_MAX: Final = 64


@dataclass(slots=True)
class _Known:
    """Of one decision."""

    sums: dict[tuple[str, Source], OutcomeSums] = field(default_factory=dict)
    #: To when the sums are aged, wall clock.
    at_s: float = 0.0
    version: int = 0
    window: Window = field(default_factory=Window)

    def at(self, now_s: float, half_life_s: float) -> dict[tuple[str, Source], OutcomeSums]:
        share = 2.0 ** (-max(0.0, now_s - self.at_s) / half_life_s)
        return {key: sums.times(share) for key, sums in self.sums.items()}


@dataclass(frozen=True, slots=True)
class KeptOutcomes:
    """All that is known of one decision, for a restart or for another worker."""

    decision: str
    at_s: float
    version: int
    sums: tuple[tuple[str, Source, OutcomeSums], ...]
    window: int
    clients: Mapping[str, int]
    told: tuple[str, ...]


class LiveOutcomes:
    """Used where the event loop runs."""

    def __init__(self, clock: Clock) -> None:
        self._clock: Final = clock
        self.learning: Mapping[str, Learning] = {}
        self._known: Final[dict[str, _Known]] = {}
        self._new: list[OutcomeSeen] = []
        #: Whether other workers' outcomes come by, and the own ones with them.
        self.is_shared = False
        #: How many did not count, by decision and reason.
        self.left: Final[dict[tuple[str, Left], int]] = {}

    def follow(self, learning: Mapping[str, Learning]) -> None:
        """Other decisions from now on; what is known of a model that stays is kept."""
        self.learning = learning
        for decision in [each for each in self._known if each not in learning]:
            del self._known[decision]
        for decision, known in self._known.items():
            models = learning[decision].models
            known.sums = {key: sums for key, sums in known.sums.items() if key[0] in models}

    def hear(self, seen: OutcomeSeen) -> None:
        """An outcome became known here."""
        if not self.is_shared:
            self.apply(seen)
            return
        self._new.append(seen)
        del self._new[:-WAITING_MAX]

    def take_new(self) -> Sequence[OutcomeSeen]:
        """What became known here since the last call."""
        new, self._new = self._new, []
        return new

    def apply(self, seen: OutcomeSeen) -> None:
        """Count an outcome of any worker, as far as it is sound and within the limits."""
        learning = self.learning.get(seen.decision)
        if learning is None or seen.model not in learning.models or not _is_sound(seen):
            return
        known = self._known.setdefault(seen.decision, _Known())
        left = known.window.take(seen, learning)
        if left is not None:
            self.left[seen.decision, left] = self.left.get((seen.decision, left), 0) + 1
            return
        key = seen.model, seen.source
        known.sums, known.at_s = known.at(seen.at_s, learning.half_life_s), seen.at_s
        known.sums[key] = known.sums.get(key, NONE_SEEN).with_one(seen.basis.expected, good=seen.good)
        known.version += 1

    def of(self, decision: str) -> DecisionOutcomes:
        """What is known of a decision's models now."""
        known, learning = self._known.get(decision), self.learning.get(decision)
        if known is None or learning is None:
            return NO_OUTCOMES
        sums = known.at(self._clock.wall_s(), learning.half_life_s)
        models = {
            model: ModelOutcomes(
                sums.get((model, "heard"), NONE_SEEN), sums.get((model, "judged"), NONE_SEEN)
            )
            for model in dict.fromkeys(model for model, _ in sums)
        }
        return DecisionOutcomes(models, known.version)

    def kept(self) -> tuple[KeptOutcomes, ...]:
        """All of it."""
        return tuple(
            KeptOutcomes(
                decision,
                known.at_s,
                known.version,
                tuple((*key, sums) for key, sums in known.sums.items()),
                known.window.number,
                dict(known.window.clients),
                tuple(sorted(known.window.told)),
            )
            for decision, known in self._known.items()
        )

    def take_back(self, kept: Iterable[KeptOutcomes]) -> None:
        """Take a whole state over in place of the own one."""
        self._known.clear()
        for each in kept:
            learning = self.learning.get(each.decision)
            if learning is not None and _is_possible(each):
                sums = {(model, source): its for model, source, its in each.sums if model in learning.models}
                window = Window(each.window, dict(each.clients), set(each.told))
                self._known[each.decision] = _Known(sums, each.at_s, each.version, window)


def _is_sound(seen: OutcomeSeen) -> bool:
    """Whether it can be true, and is no larger than what is written here."""
    basis = seen.basis
    short = len(basis.client) <= DIGEST_CHARS_MAX and len(basis.session) <= DIGEST_CHARS_MAX
    return short and 0 <= basis.expected <= 1 and 0 <= seen.at_s < math.inf


def _is_possible(kept: KeptOutcomes) -> bool:
    """The same for a whole state."""
    numbers = [kept.at_s, *(each for _, _, its in kept.sums for each in (its.good, its.bad, its.expected))]
    sized = len(kept.told) <= OUTCOMES_MAX and len(kept.clients) <= OUTCOMES_MAX
    return sized and kept.version >= 0 and all(0 <= number < math.inf for number in numbers)
