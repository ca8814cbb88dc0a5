"""Which decisions' requests are asked of which other model, how many of them, and which never."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from router_extproc.routing.catalogue import Target

#: Which pairs of answers a judge sees: those whose texts are not equal, or all that it can read.
JudgeWhen: TypeAlias = Literal["uncertain", "always"]


@dataclass(frozen=True, slots=True)
class JudgeRule:
    """Who says whether the other model's answer is as good."""

    target: Target
    when: JudgeWhen = "uncertain"
    #: Until its whole reply.
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class EvaluationRule:
    """What is done with the requests of one decision, or of all that have no rule of their own."""

    #: Rules with one name share one budget.
    name: str
    #: Who is asked, too.
    target: Target
    #: Share of the requests.
    rate: float
    #: Requests that this worker may send within any hour.
    per_hour: int
    #: Whether requests that offer tools are sampled.
    allow_tools: bool = False
    #: None: our own comparison of the answers decides.
    judge: JudgeRule | None = None

    @property
    def requests(self) -> int:
        """That one evaluation may send."""
        return 1 if self.judge is None else 2


@dataclass(frozen=True, slots=True)
class EvaluationRules:
    """The rule of every decision."""

    #: Of decisions that have none of their own; None: they are not evaluated.
    default: EvaluationRule | None = None
    #: By decision; None: it is not evaluated.
    own: Mapping[str, EvaluationRule | None] = field(default_factory=dict)

    def of(self, decision: str) -> EvaluationRule | None:
        """The rule for a decision's requests; None: they are not evaluated."""
        return self.own.get(decision, self.default)

    @property
    def names(self) -> frozenset[str]:
        """Of all budgets."""
        rules = (self.default, *self.own.values())
        return frozenset(rule.name for rule in rules if rule is not None)

    def __bool__(self) -> bool:
        return bool(self.names)


NO_EVALUATION: Final = EvaluationRules()
