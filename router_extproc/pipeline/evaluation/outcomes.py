"""How shadow evaluations ended, added up by decision and models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final, Literal, TypeAlias

from router_extproc.pipeline.ledger import REST, Ledger

#: Sums that are kept; further ones are added up under `REST`.
SUMS_MAX: Final = 2_000

#: "same" and "different": our own comparison has decided. "better" to "unreadable": a judge was asked.
#: "failed" and "judge-failed": the other model, or the judge, gave no whole answer. "over-budget" and "busy":
#: the other model was not asked.
EvaluationOutcome: TypeAlias = Literal[
    "same", "different", "better", "equal", "worse", "unreadable",
    "failed", "judge-failed", "over-budget", "busy",
]  # fmt: skip


#: Whether the other model's answer would have been good enough; others say nothing of that.
GOOD_ENOUGH: Final[Mapping[EvaluationOutcome, bool]] = {
    "same": True, "better": True, "equal": True, "different": False, "worse": False,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How one sampled request went."""

    decision: str
    #: Who has answered the client.
    model: str
    #: Who was asked, too.
    shadow_model: str
    outcome: EvaluationOutcome
    #: The prices of both answers; None: they are not both known.
    costs: tuple[float, float] | None = None
    #: Who was asked for a verdict; "": nobody.
    judge: str = ""
    #: The price of that; None: it is not known, or nobody was asked.
    judge_cost: float | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """What some evaluations have in common."""

    decision: str
    model: str
    shadow_model: str
    #: "": of those that no judge was asked about.
    judge: str = ""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """How many evaluations ended how, and what their answers cost in the currency of the configuration."""

    same: int = 0
    different: int = 0
    better: int = 0
    equal: int = 0
    worse: int = 0
    unreadable: int = 0
    #: Sampled, but neither compared nor judged.
    left: int = 0
    #: Of the others, those whose answers both have a price.
    priced: int = 0
    given_cost: float = 0.0
    shadow_cost: float = 0.0
    judge_cost: float = 0.0

    def __add__(self, other: Outcomes) -> Outcomes:
        return Outcomes(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))

    @classmethod
    def of(cls, evaluated: Evaluated) -> Outcomes:
        """Of one evaluation."""
        own = {name: int(evaluated.outcome == name) for name in _TOLD}
        given, shadow = evaluated.costs or (0.0, 0.0)
        return cls(
            **own,
            left=int(not any(own.values())),
            priced=int(evaluated.costs is not None),
            given_cost=given,
            shadow_cost=shadow,
            judge_cost=evaluated.judge_cost or 0.0,
        )


_TOLD: Final = ("same", "different", "better", "equal", "worse", "unreadable")


@dataclass(frozen=True, slots=True)
class OutcomesBatch:
    """What some evaluations came to."""

    sums: tuple[tuple[Pair, Outcomes], ...] = ()


class OutcomeLedger(Ledger[Pair, Outcomes, OutcomesBatch]):
    """Adds up evaluations."""

    def __init__(self, *, sums_max: int = SUMS_MAX) -> None:
        """`sums_max`: pairs of models whose sums are kept."""
        super().__init__(sums_max)

    def add(self, evaluated: Evaluated) -> None:
        """Count one evaluation."""
        pair = Pair(evaluated.decision, evaluated.model, evaluated.shadow_model, evaluated.judge)
        self._add(pair, Outcomes.of(evaluated))

    def add_batch(self, batch: OutcomesBatch) -> None:
        """See Ledger."""
        for pair, outcomes in batch.sums:
            self._add(pair, outcomes)

    def batch(self) -> OutcomesBatch:
        """See Ledger."""
        return OutcomesBatch(tuple(self.sums.items()))

    def rest_of(self, key: Pair) -> Pair:
        """See Ledger."""
        return Pair(REST, REST, REST, key.judge and REST)
