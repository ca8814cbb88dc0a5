"""What a change of policy does to recorded requests: who answers, at what cost, and why it changed.

Pure: it compares what two policies said of the same requests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

#: Stands for the model where no pool is asked.
NO_MODEL: Final = "(none)"


@dataclass(frozen=True, slots=True)
class RuleOutcome:
    """One decision's rule on one request."""

    matched: bool
    #: Each test as written, and whether it held.
    tests: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyOutcome:
    """What one policy does with one request."""

    #: "forward", "answer" or "reject".
    outcome: str
    #: NO_MODEL: the router answers itself.
    model: str
    #: "" for a request that is refused before any decision.
    decision: str
    #: What the model's answer would cost, estimated.
    cost: float
    #: Every decision, in the order in which they are asked.
    rules: Mapping[str, RuleOutcome] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ChangedRoute:
    """A request that the two policies treat differently."""

    #: Of the file, from 1 on.
    line: int
    old: PolicyOutcome
    new: PolicyOutcome
    reason: str


@dataclass(frozen=True, slots=True)
class PolicyTotals:
    """What one policy does with all requests."""

    #: Model to its share of the requests.
    shares: Mapping[str, float]
    #: Estimated, of all requests together.
    cost: float


@dataclass(frozen=True, slots=True)
class PolicyComparison:
    """Two policies on the same requests."""

    requests: int
    old: PolicyTotals
    new: PolicyTotals
    changed: tuple[ChangedRoute, ...]


def compare_outcomes(
    lines: Sequence[int], old: Sequence[PolicyOutcome], new: Sequence[PolicyOutcome]
) -> PolicyComparison:
    """The comparison; the three belong together by position."""
    pairs = zip(lines, old, new, strict=True)
    changed = [
        ChangedRoute(line, before, after, reason_of(before, after))
        for line, before, after in pairs
        if _way(before) != _way(after)
    ]
    return PolicyComparison(len(lines), _totals(old), _totals(new), tuple(changed))


def reason_of(old: PolicyOutcome, new: PolicyOutcome) -> str:
    """Why the new policy treats a request in another way, in one sentence."""
    if old.decision == new.decision:
        return f"{_named(new.decision)} {_does(old)} before and {_does(new)} now"
    return f"{_left(old, new)}; {_taken(old, new)}"


def _left(old: PolicyOutcome, new: PolicyOutcome) -> str:
    """What became of the decision that took it."""
    name = old.decision
    if not old.rules or name not in old.rules:
        return f"{_named(name)} took it before"
    if name not in new.rules:
        return f"'{name}' is gone"
    if not new.rules[name].matched:
        return f"'{name}' no longer matches{_tests(new.rules[name], held=False)}"
    return f"'{name}' still matches, but later"


def _taken(old: PolicyOutcome, new: PolicyOutcome) -> str:
    """How the decision that takes it now comes to it."""
    name = new.decision
    if name not in new.rules:
        return f"{_named(name)} takes it"
    why = _tests(new.rules[name], held=True)
    if name not in old.rules:
        return f"'{name}' is new and takes it{why}"
    if old.rules[name].matched:
        return f"'{name}' comes first{why}"
    return f"'{name}' matches now{why}"


def _tests(rule: RuleOutcome, *, held: bool) -> str:
    named = [test for test, holds in rule.tests.items() if holds is held]
    return f" ({', '.join(named)})" if named else ""


def _named(decision: str) -> str:
    return f"'{decision}'" if decision else "no decision"


def _does(outcome: PolicyOutcome) -> str:
    match outcome.outcome:
        case "forward":
            return f"named {outcome.model}"
        case "answer":
            return "answered"
        case _:
            return "refused"


def _way(outcome: PolicyOutcome) -> tuple[str, str, str]:
    return outcome.outcome, outcome.model, outcome.decision


def _totals(outcomes: Sequence[PolicyOutcome]) -> PolicyTotals:
    counts = Counter(outcome.model for outcome in outcomes)
    shares = {model: count / len(outcomes) for model, count in counts.most_common()}
    return PolicyTotals(shares, sum(outcome.cost for outcome in outcomes))
