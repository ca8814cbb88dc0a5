"""Every way in which signals can read, as far as rules tell them apart: a proof by trying them all.

Two readings that no rule tells apart are one world. More worlds than the bound are not tried; then only what
follows from the form of the rules is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, combinations, pairwise, product
from math import prod
from typing import Final

from router_extproc.config.check_signals import labels_of
from router_extproc.config.model import Config
from router_extproc.config.warnings.implication import Implication
from router_extproc.routing.rules import Readings, Rule, Test
from router_extproc.signals.base import Reading, SignalSettings

#: Of one question.
WORLDS_MAX: Final = 20_000
#: Of all questions about one configuration, so that a long one is checked in about a second.
ALL_WORLDS_MAX: Final = 300_000
#: Pairs of tests that are compared where there are too many worlds.
ALL_TESTS_MAX: Final = 200_000
#: Stands for every label that no rule names.
_OTHER: Final = "\0other"


class Worlds:
    """Answers what rules can and must do, by trying every reading that they tell apart."""

    def __init__(self, config: Config) -> None:
        self._config: Final = config
        self._by_form: Final = Implication(self._follows)
        self._left = ALL_WORLDS_MAX
        self._tests_left = ALL_TESTS_MAX

    def can_hold(self, rule: Rule) -> bool:
        """False when no readings fit the rule; True when some do, or when it is not known."""
        worlds = self._worlds([rule])
        if worlds is None:
            return not (self._may_compare([rule, rule]) and self._by_form.is_impossible(rule))
        return any(rule.holds(world) for world in worlds)

    def implies(self, rule: Rule, others: Sequence[Rule]) -> bool:
        """True when whatever fits the rule fits one of the others."""
        worlds = self._worlds([rule, *others])
        if worlds is None:
            compared = (other for other in others if self._may_compare([rule, other]))
            return any(self._by_form.implies(rule, other) for other in compared)
        return all(any(other.holds(world) for other in others) for world in worlds if rule.holds(world))

    def _may_compare(self, rules: Sequence[Rule]) -> bool:
        """Whether there is time to compare every test of one rule with every test of the other."""
        self._tests_left -= prod(sum(1 for _ in rule.tests()) for rule in rules)
        return self._tests_left >= 0

    def _follows(self, rule: Rule, other: Rule) -> bool:
        """For rules of one signal."""
        worlds = self._worlds([rule, other])
        return worlds is not None and all(other.holds(world) for world in worlds if rule.holds(world))

    def _worlds(self, rules: Sequence[Rule]) -> Iterator[Readings] | None:
        """Every world of these rules; None: there are too many."""
        tests: dict[str, list[Test]] = {}
        for test in chain.from_iterable(rule.tests() for rule in rules):
            tests.setdefault(test.signal, []).append(test)
        choices: list[_Choice] = []
        count = 1
        for name, asked in tests.items():
            choices.append(_Choice.of(name, asked, self._config))
            count *= choices[-1].count
            if count > min(WORLDS_MAX, self._left):
                return None
        self._left -= count
        return (_world(readings) for readings in product(*(list(choice.readings()) for choice in choices)))


def _world(readings: Iterable[Reading | None]) -> Readings:
    return {reading.name: reading for reading in readings if reading is not None}


# ── one signal ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Choice:
    """What a signal can give, one reading of each kind that the tests tell apart, and perhaps some more."""

    name: str
    score_min: float | None
    #: None: it found nothing.
    labels: Sequence[str | None]
    scores: Sequence[float]
    #: Labels whose own scores are asked for, and what these can be.
    ranked: Mapping[str, Sequence[float]]
    #: Labels that may be found beside the best one.
    beside: Sequence[str]

    @classmethod
    def of(cls, name: str, tests: Sequence[Test], config: Config) -> _Choice:
        signal = config.signals[name]
        score_min = _score_min(signal)
        bounds = {bound for test in tests for bound in (test.score_min, test.score_max) if bound is not None}
        if score_min is not None:
            bounds.add(score_min)
        labels = _labels(tests, labels_of(name, config))
        asking = [test for test in tests if test.labels and _asks_for_scores(test, signal)]
        beside = _representatives(labels, tests) if signal.finds_several else []
        ranked = {label: _scores(_bounds_for(label, asking)) for label in _representatives(labels, asking)}
        return cls(name, score_min, [None, *labels], _scores(bounds), ranked, beside)

    @property
    def count(self) -> int:
        """How many readings there are at most."""
        ranks = prod(len(scores) for scores in self.ranked.values())
        return 1 + len(self.labels) * len(self.scores) * ranks * int(2 ** len(self.beside))

    def readings(self) -> Iterator[Reading | None]:
        """Each of them; None: the signal could not be read."""
        yield None
        ranks = [dict(zip(self.ranked, each, strict=True)) for each in product(*self.ranked.values())]
        subsets = [
            *chain.from_iterable(combinations(self.beside, size) for size in range(len(self.beside) + 1))
        ]
        for label, score, scores, also in product(self.labels, self.scores, ranks, subsets):
            if label is None and also:
                continue
            if label is None or self.score_min is None or score >= self.score_min:
                yield Reading(self.name, label, score, scores, also=also)


def _asks_for_scores(test: Test, signal: SignalSettings) -> bool:
    """True when labels that are not the best count by their own scores."""
    by_min = signal.ranks_labels and bool(test.score_min)
    return by_min or (signal.finds_several and (test.score_min, test.score_max) != (None, None))


def _bounds_for(label: str, tests: Sequence[Test]) -> Iterator[float]:
    for test in tests:
        if label in (test.labels or ()):
            yield from (bound for bound in (test.score_min, test.score_max) if bound is not None)


def _representatives(labels: Sequence[str], tests: Sequence[Test]) -> list[str]:
    """Of labels that the same tests name, as many as these tests can tell apart."""
    groups: dict[tuple[int, ...], list[str]] = {}
    for label in labels:
        named = tuple(index for index, test in enumerate(tests) if label in (test.labels or ()))
        groups.setdefault(named, []).append(label)
    # One for each test, and the best label may be one of them.
    return [label for named, group in groups.items() if named for label in group[: len(named) + 1]]


def _score_min(signal: SignalSettings) -> float | None:
    """The score below which the signal gives no label; None: it has no such bound."""
    value = signal.model_dump(include={"min_score"}).get("min_score")
    return float(value) if isinstance(value, int | float) else None


def _labels(tests: Sequence[Test], known: Sequence[str] | None) -> list[str]:
    named = {label for test in tests for label in test.labels or ()}
    if known is None:
        return [*sorted(named), _OTHER]
    others = [label for label in known if label not in named]
    return [*sorted(named.intersection(known)), *others[:1]]


def _scores(bounds: Iterable[float]) -> list[float]:
    """Every bound, one score between each two, and one on either side."""
    points = sorted({*bounds})
    if not points:
        return [1.0]
    below, above = points[0] / 2, (points[-1] + 1) / 2
    return sorted({below, *points, *((low + high) / 2 for low, high in pairwise(points)), above})
