"""Evaluations that are added up."""

from __future__ import annotations

from typing import get_args

from router_extproc.pipeline.evaluation.outcomes import (
    Evaluated,
    EvaluationOutcome,
    OutcomeLedger,
    Outcomes,
    Pair,
)
from router_extproc.pipeline.ledger import REST


def test_each_outcome_counts_once_and_what_nobody_decided_is_left() -> None:
    counted = OutcomeLedger()
    for outcome in get_args(EvaluationOutcome):
        counted.add(Evaluated("d", "large", "small", outcome))
    assert counted.sums == {
        Pair("d", "large", "small"): Outcomes(
            same=1, different=1, better=1, equal=1, worse=1, unreadable=1, left=4
        )
    }


def test_names_without_end_are_added_up_as_the_rest() -> None:
    counted = OutcomeLedger(sums_max=2)
    for number in range(5):
        counted.add(Evaluated(f"d{number}", "large", "small", "same"))
    counted.add(Evaluated("d9", "large", "small", "equal", judge="strict"))
    assert len(counted.sums) == 4
    assert counted.sums[Pair(REST, REST, REST)] == Outcomes(same=3)
    assert counted.sums[Pair(REST, REST, REST, REST)] == Outcomes(equal=1)
