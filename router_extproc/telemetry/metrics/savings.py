"""Counts what answers cost, and what they would have cost with the baseline; and reads it again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from typing import Final

from prometheus_client import Counter
from prometheus_client.parser import text_string_to_metric_families

from router_extproc.pipeline.baseline import LENGTH_FACTOR, Compared
from router_extproc.telemetry.metrics.exposition import PREFIX

#: Makes a counter from its name, its text and its labels.
MakeCounter = Callable[..., Counter]
SPENT: Final = "answer_cost"
BASELINE: Final = "baseline_cost"
UNTHOUGHT: Final = "unthought_cost"
#: Values of the label `source`.
POOL: Final = "pool"
CACHE: Final = "cache"


class SavingsCounters:
    """The counters of costs."""

    def __init__(self, counter: MakeCounter) -> None:
        labels = ("model", "decision", "source")
        self._own = counter(
            SPENT,
            "Price of answers, in the currency of models.*.cost; `cache`: of hits, which nobody paid.",
            *labels,
        )
        self._baseline = counter(
            BASELINE, "What the baseline would have cost for them.", "baseline", *labels, "bound"
        )

        self._unthought = counter(
            UNTHOUGHT,
            "What models would have thought for, had no decision switched it off.",
            "model",
            "decision",
        )

    def count(self, model: str, decision: str, source: str, compared: Compared) -> None:
        """One answer of a pool, or one hit."""
        self._own.labels(model, decision, source).inc(compared.own)
        for bound in ("expected", "low", "high"):
            told = self._baseline.labels(compared.baseline, model, decision, source, bound)
            told.inc(getattr(compared, bound))
        if compared.unthought:
            self._unthought.labels(model, decision).inc(compared.unthought)


@dataclass(slots=True)
class Saved:
    """What one decision, or all of them, have cost and saved, in the currency of the configuration."""

    #: Paid to pools.
    spent: float = 0.0
    #: The price of hits at the model that had answered first.
    cached: float = 0.0
    #: What the baseline would have cost for both.
    expected: float = 0.0
    low: float = 0.0
    high: float = 0.0
    #: What was not thought for, expected.
    unthought: float = 0.0

    @property
    def by_routing(self) -> float:
        """Against the baseline, by asking other models."""
        return self.expected - self.spent - self.cached

    @property
    def total(self) -> float:
        """By routing, by the cache, and by not thinking."""
        return self.expected - self.spent + self.unthought

    @property
    def bounds(self) -> tuple[float, float]:
        """Of the total."""
        return self.low - self.spent, self.high - self.spent + LENGTH_FACTOR * self.unthought

    def add(self, other: Saved) -> None:
        """Take the other's, too."""
        for each in fields(self):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(frozen=True, slots=True)
class SavedReport:
    """All that is told of savings."""

    #: More than one after a reload that has changed it.
    baselines: tuple[str, ...]
    decisions: dict[str, Saved]

    @property
    def total(self) -> Saved:
        """Of all decisions."""
        whole = Saved()
        for saved in self.decisions.values():
            whole.add(saved)
        return whole


def read_savings(exposition: str) -> SavedReport:
    """What `/metrics` says of savings, of all workers together."""
    baselines: dict[str, None] = {}
    decisions: dict[str, Saved] = {}
    for name, labels, value in _samples(exposition):
        saved = decisions.setdefault(labels["decision"], Saved())
        if name == f"{PREFIX}_{UNTHOUGHT}_total":
            part = "unthought"
        elif name == f"{PREFIX}_{SPENT}_total":
            part = "spent" if labels["source"] == POOL else "cached"
        else:
            baselines[labels["baseline"]] = None
            part = labels["bound"]
        setattr(saved, part, getattr(saved, part) + value)
    return SavedReport(tuple(baselines), decisions)


def _samples(exposition: str) -> Iterator[tuple[str, dict[str, str], float]]:
    wanted = {f"{PREFIX}_{name}_total" for name in (SPENT, BASELINE, UNTHOUGHT)}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name in wanted:
                yield sample.name, dict(sample.labels), sample.value
