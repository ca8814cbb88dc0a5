"""Counts shadow evaluations and what they cost."""

from __future__ import annotations

from typing import Final

from router_extproc.pipeline.evaluation.outcomes import Evaluated, OutcomeLedger
from router_extproc.telemetry.metrics.make import MakeCounter

ENDED: Final = "shadow_evaluations"
COST: Final = "shadow_evaluation_cost"
#: Both answers of these have prices.
PRICED: Final = "shadow_evaluations_priced"
_LABELS: Final = ("decision", "model", "shadow_model")


class EvaluationCounters:
    """The counters of shadow evaluations since the process was started, and the ledger, which outlives it."""

    def __init__(self, counter: MakeCounter) -> None:
        self.ledger: Final = OutcomeLedger()
        self._ended = counter(
            ENDED, "Sampled requests, by how the other model's answer compares.", *_LABELS, "outcome"
        )
        self._priced = counter(PRICED, "Compared answers whose pools both reported usage.", *_LABELS)
        self._cost = counter(
            COST,
            "Price of both answers and of verdicts, in the currency of models.*.cost.",
            *_LABELS,
            "answer",
        )

    def count(self, evaluated: Evaluated) -> None:
        """One evaluation ended."""
        self.ledger.add(evaluated)
        names = (evaluated.decision, evaluated.model, evaluated.shadow_model)
        self._ended.labels(*names, evaluated.outcome).inc()
        if evaluated.costs is not None:
            self._priced.labels(*names).inc()
            for answer, cost in zip(("given", "shadow"), evaluated.costs, strict=True):
                self._cost.labels(*names, answer).inc(cost)
        if evaluated.judge_cost is not None:
            self._cost.labels(*names, "judge").inc(evaluated.judge_cost)
