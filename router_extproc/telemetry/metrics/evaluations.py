"""Counts shadow evaluations and what both answers cost; and reads it again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from router_extproc.cache.false_hits.interval import interval
from router_extproc.pipeline.evaluation.evaluations import Evaluated
from router_extproc.telemetry.metrics.exposition import PREFIX
from router_extproc.telemetry.metrics.savings import MakeCounter

ENDED: Final = "shadow_evaluations"
COST: Final = "shadow_evaluation_cost"
#: Both answers of these have prices.
PRICED: Final = "shadow_evaluations_priced"
_LABELS: Final = ("decision", "model", "shadow_model")


class EvaluationCounters:
    """The counters of shadow evaluations."""

    def __init__(self, counter: MakeCounter) -> None:
        self._ended = counter(
            ENDED, "Sampled requests, by how the other model's answer compares.", *_LABELS, "outcome"
        )
        self._priced = counter(PRICED, "Compared answers whose pools both reported usage.", *_LABELS)
        self._cost = counter(
            COST, "Price of both answers, in the currency of models.*.cost.", *_LABELS, "answer"
        )

    def count(self, evaluated: Evaluated) -> None:
        """One evaluation ended."""
        names = (evaluated.decision, evaluated.model, evaluated.shadow_model)
        self._ended.labels(*names, evaluated.outcome).inc()
        if evaluated.costs is not None:
            self._priced.labels(*names).inc()
            for answer, cost in zip(("given", "shadow"), evaluated.costs, strict=True):
                self._cost.labels(*names, answer).inc(cost)


@dataclass(slots=True)
class EvaluatedPair:
    """What is known of one decision, one model and the one that was asked, too."""

    decision: str
    model: str
    shadow_model: str
    same: int = 0
    different: int = 0
    #: Sampled, but not compared.
    left: int = 0
    priced: int = 0
    given_cost: float = 0.0
    shadow_cost: float = 0.0

    @property
    def compared(self) -> int:
        """Pairs of answers."""
        return self.same + self.different

    @property
    def good_enough(self) -> tuple[float, float]:
        """The exact interval, with 95 % confidence, of how often the other answer says the same."""
        return interval(self.same, self.compared)

    @property
    def saving(self) -> float | None:
        """Share of the cost that the other model would have saved; None: nothing has a price."""
        return 1.0 - self.shadow_cost / self.given_cost if self.given_cost else None


def read_evaluations(exposition: str) -> tuple[EvaluatedPair, ...]:
    """What `/metrics` says of evaluations, of all workers together."""
    pairs: dict[tuple[str, ...], EvaluatedPair] = {}
    for name, labels, value in _samples(exposition):
        decision, model, shadow = names = tuple(labels[label] for label in _LABELS)
        part = _part(name, labels)
        pair = pairs.setdefault(names, EvaluatedPair(decision, model, shadow))
        whole = not part.endswith("_cost")
        setattr(pair, part, getattr(pair, part) + (int(value) if whole else value))
    return tuple(pair for _, pair in sorted(pairs.items()) if pair.compared or pair.left)


def _part(name: str, labels: dict[str, str]) -> str:
    if name == f"{PREFIX}_{COST}_total":
        return f"{labels['answer']}_cost"
    if name == f"{PREFIX}_{PRICED}_total":
        return "priced"
    return labels["outcome"] if labels["outcome"] in {"same", "different"} else "left"


def _samples(exposition: str) -> Iterator[tuple[str, dict[str, str], float]]:
    wanted = {f"{PREFIX}_{name}_total" for name in (ENDED, PRICED, COST)}
    for family in text_string_to_metric_families(exposition):
        for sample in family.samples:
            if sample.name in wanted:
                yield sample.name, dict(sample.labels), sample.value
