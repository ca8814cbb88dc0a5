"""Every way in which signals can read, as far as rules tell them apart: a proof by trying them all.

Two readings that no rule tells apart are one world. More worlds than the bound are not tried, and then
nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise, product
from math import prod
from typing import Final

from router_extproc.routing.rules import Readings, Rule, Test
from router_extproc.signals.base import Reading, SignalSettings

#: Of one question.
WORLDS_MAX: Final = 20_000
#: Of all questions about one configuration, so that a long one is checked in about a second.
ALL_WORLDS_MAX: Final = 300_000
#: Stands for every label that no rule names.
_OTHER: Final = "\0other"


class Worlds:
    """Answers what rules can and must do, by trying every reading that they tell apart."""

    def __init__(self, signals: Mapping[str, SignalSettings]) -> None:
        self._signals: Final = signals
        self._left = ALL_WORLDS_MAX

    def can_hold(self, rule: Rule) -> bool:
        """False when no readings fit the rule; True when some do, or when it is not known."""
        worlds = self._worlds([rule])
        return worlds is None or any(rule.holds(world) for world in worlds)

    def implies(self, rule: Rule, others: Sequence[Rule]) -> bool:
        """True when whatever fits the rule fits one of the others."""
        worlds = self._worlds([rule, *others])
        if worlds is None:
            return False
        return all(any(other.holds(world) for other in others) for world in worlds if rule.holds(world))

    def _worlds(self, rules: Sequence[Rule]) -> Iterator[Readings] | None:
        """Every world of these rules; None: there are too many."""
        tests: dict[str, list[Test]] = {}
        for test in chain.from_iterable(rule.tests() for rule in rules):
            tests.setdefault(test.signal, []).append(test)
        choices = [_readings(name, asked, self._signals[name]) for name, asked in tests.items()]
        count = prod(len(choice) for choice in choices)
        if count > min(WORLDS_MAX, self._left):
            return None
        self._left -= count
        return (_world(readings) for readings in product(*choices))


def _world(readings: Iterable[Reading | None]) -> Readings:
    return {reading.name: reading for reading in readings if reading is not None}


def _readings(name: str, tests: Sequence[Test], signal: SignalSettings) -> list[Reading | None]:
    """What the signal can give, one of each kind that the tests tell apart; None: it could not be read."""
    score_min = _score_min(signal)
    bounds = {bound for test in tests for bound in (test.score_min, test.score_max) if bound is not None}
    if score_min is not None:
        bounds.add(score_min)
    scores = _scores(bounds)
    labels = [None, *_labels(tests, signal)]
    found = [Reading(name, label, score) for label, score in product(labels, scores)]
    possible = [one for one in found if score_min is None or one.label is None or one.score >= score_min]
    return [None, *possible]


def _score_min(signal: SignalSettings) -> float | None:
    """The score below which the signal gives no label; None: it has no such bound."""
    value = signal.model_dump(include={"min_score"}).get("min_score")
    return float(value) if isinstance(value, int | float) else None


def _labels(tests: Sequence[Test], signal: SignalSettings) -> list[str]:
    named = {label for test in tests for label in test.labels or ()}
    known = signal.labels()
    if known is None:
        return [*sorted(named), _OTHER]
    others = [label for label in known if label not in named]
    return [*sorted(named.intersection(known)), *others[:1]]


def _scores(bounds: set[float]) -> list[float]:
    """Every bound, and one score between each two."""
    points = sorted({0.0, 1.0, *bounds})
    return sorted({*points, *((low + high) / 2 for low, high in pairwise(points))})
