"""Rules: when a decision applies, as a tree of all, any, not and tests of readings.

`read_rule` reads the `when` tree of the configuration. A signal without a reading matches no test but
`false`. Labels beside the best one count where the signal finds several (`Reading.also`), and wherever a test
says how high they must score.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from router_extproc.errors import ConfigError
from router_extproc.signals.base import Reading

#: The bound on nesting in `when`; deeper trees are a mistake, not a policy.
MAX_DEPTH = 16

Readings: TypeAlias = Mapping[str, Reading]
#: Names of signals whose reading failed, or found only what it finds without inference.
Unread: TypeAlias = AbstractSet[str]


class Rule(Protocol):
    """A condition over readings."""

    def holds(self, readings: Readings) -> bool:
        """True when the readings fit."""
        ...

    def holds_without(self, readings: Readings, unread: Unread) -> bool | None:
        """As `holds`; None when it depends on a signal that could not be read."""
        ...

    def tests(self) -> Iterator[Test]:
        """Every test in the tree, in the order written."""
        ...


@dataclass(frozen=True, slots=True)
class Test:
    """One signal's reading against labels and bounds."""

    signal: str
    #: False asks for the absence of a label.
    present: bool = True
    #: None: any label will do.
    labels: frozenset[str] | None = None
    score_min: float | None = None
    score_max: float | None = None

    def holds(self, readings: Readings) -> bool:
        """See Rule."""
        reading = readings.get(self.signal)
        if not self.present:
            return reading is None or reading.label is None
        return reading is not None and self._fits(reading)

    def holds_without(self, readings: Readings, unread: Unread) -> bool | None:
        """See Rule. What was found without inference is found; what was not found may be there."""
        if self.signal not in unread:
            return self.holds(readings)
        reading = readings.get(self.signal)
        found = reading is not None and reading.label is not None
        if not self.present:
            return False if found else None
        sure = found and self.score_max is None and self.holds(readings)
        return True if sure else None

    def tests(self) -> Iterator[Test]:
        """See Rule."""
        yield self

    def __str__(self) -> str:
        """The test as an operator would write it."""
        if not self.present:
            return f"{self.signal}: false"
        bounds = [f"{word} {value:g}" for word, value in self._bounds() if value is not None]
        if self.labels is not None:
            bounds.insert(0, "|".join(sorted(self.labels)))
        return f"{self.signal}: {', '.join(bounds) or 'true'}"

    def _bounds(self) -> tuple[tuple[str, float | None], ...]:
        return (("min", self.score_min), ("max", self.score_max))

    def _fits(self, reading: Reading) -> bool:
        # A range asks for the score alone: a signal such as complexity has no label to give.
        by_score = self.score_min is not None or self.score_max is not None
        if self.labels is None:
            return self._is_inside(reading.score) if by_score else reading.label is not None
        if not by_score:
            return reading.label in self.labels or not self.labels.isdisjoint(reading.also)
        return any(self._is_inside(score) for score in self._scores(reading, self.labels))

    def _scores(self, reading: Reading, labels: frozenset[str]) -> Iterator[float]:
        """How each of the labels scores, as far as it counts: what is found, and with `min` what scores."""
        if reading.label in labels:
            yield reading.score
        ranked = labels if self.score_min else labels.intersection(reading.also)
        yield from (
            reading.scores[label] for label in ranked if label in reading.scores and label != reading.label
        )

    def _is_inside(self, score: float) -> bool:
        above = self.score_min is None or score >= self.score_min
        return above and (self.score_max is None or score <= self.score_max)


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; with no part it always does."""

    parts: tuple[Rule, ...]

    def holds(self, readings: Readings) -> bool:
        """See Rule."""
        return all(part.holds(readings) for part in self.parts)

    def holds_without(self, readings: Readings, unread: Unread) -> bool | None:
        """See Rule."""
        parts = [part.holds_without(readings, unread) for part in self.parts]
        return False if False in parts else None if None in parts else True

    def tests(self) -> Iterator[Test]:
        """See Rule."""
        for part in self.parts:
            yield from part.tests()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Rule, ...]

    def holds(self, readings: Readings) -> bool:
        """See Rule."""
        return any(part.holds(readings) for part in self.parts)

    def holds_without(self, readings: Readings, unread: Unread) -> bool | None:
        """See Rule."""
        parts = [part.holds_without(readings, unread) for part in self.parts]
        return True if True in parts else None if None in parts else False

    def tests(self) -> Iterator[Test]:
        """See Rule."""
        for part in self.parts:
            yield from part.tests()


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Rule

    def holds(self, readings: Readings) -> bool:
        """See Rule."""
        return not self.part.holds(readings)

    def holds_without(self, readings: Readings, unread: Unread) -> bool | None:
        """See Rule."""
        holds = self.part.holds_without(readings, unread)
        return None if holds is None else not holds

    def tests(self) -> Iterator[Test]:
        """See Rule."""
        yield from self.part.tests()


ALWAYS = AllOf(())


def read_rule(when: object, path: str = "when", depth: int = 0) -> Rule:
    """The rule that a `when` value of the configuration means; None means always.

    Raises:
        ConfigError: not a rule; `path` leads to the place.
    """
    if when is None:
        return ALWAYS
    if depth > MAX_DEPTH:
        raise ConfigError(path, f"nested deeper than {MAX_DEPTH}")
    if not isinstance(when, Mapping) or len(when) != 1:
        raise ConfigError(path, "write one of {all: [...]}, {any: [...]}, {not: ...}, {signal: test}")
    key, value = next(iter(when.items()))
    match key:
        case "all":
            return AllOf(_read_parts(value, f"{path}.all", depth))
        case "any":
            return AnyOf(_read_parts(value, f"{path}.any", depth))
        case "not":
            return Not(read_rule(value, f"{path}.not", depth + 1))
        case _:
            return _read_test(str(key), value, f"{path}.{key}")


def _read_parts(value: object, path: str, depth: int) -> tuple[Rule, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or not value:
        raise ConfigError(path, "write a list with at least one rule")
    parts = enumerate(value)
    return tuple(read_rule(part, f"{path}[{index}]", depth + 1) for index, part in parts)


def _read_test(signal: str, value: object, path: str) -> Test:
    match value:
        case bool():
            return Test(signal, present=value)
        case str():
            return Test(signal, labels=frozenset([value]))
        case Mapping():
            return _read_range(signal, value, path)
        case Sequence():
            return Test(signal, labels=_read_labels(value, path))
    raise ConfigError(path, "write true, false, a label, a list of labels, or {min, max, any}")


def _read_range(signal: str, value: Mapping[object, object], path: str) -> Test:
    for key in value:
        if key not in ("min", "max", "any"):
            raise ConfigError(f"{path}.{key}", "unknown key (write min, max or any)")
    labels = _read_labels(value["any"], f"{path}.any") if "any" in value else None
    low, high = (_read_bound(value, key, path) for key in ("min", "max"))
    if low is not None and high is not None and low > high:
        raise ConfigError(path, f"min {low:g} is above max {high:g}: nothing can match")
    if labels is None and low is None and high is None:
        raise ConfigError(path, "write at least one of min, max and any")
    return Test(signal, labels=labels, score_min=low, score_max=high)


def _read_labels(value: object, path: str) -> frozenset[str]:
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        labels = frozenset(label for label in value if isinstance(label, str))
        if len(labels) == len(value):
            return labels
    raise ConfigError(path, "write a list with at least one label, none twice")


def _read_bound(value: Mapping[object, object], key: str, path: str) -> float | None:
    if key not in value:
        return None
    bound = value[key]
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not 0 <= bound <= 1:
        raise ConfigError(f"{path}.{key}", "must be a number from 0 to 1")
    return float(bound)
