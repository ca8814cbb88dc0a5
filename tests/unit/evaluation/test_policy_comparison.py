"""What a change of policy does to requests, and the reason given for each changed route."""

from __future__ import annotations

import pytest

from router_extproc.evaluation.policy_comparison import (
    NO_MODEL,
    PolicyOutcome,
    RuleOutcome,
    compare_outcomes,
    reason_of,
)

HELD = RuleOutcome(matched=True, tests={"domain: math": True})
FAILED = RuleOutcome(matched=False, tests={"domain: math": True, "complexity: min 0.6": False})
LAW = RuleOutcome(matched=True, tests={"domain: law": True})


def large(decision: str = "maths", **rules: RuleOutcome) -> PolicyOutcome:
    return PolicyOutcome("forward", "large", decision, 0.5, rules or {"maths": HELD})


def small(decision: str = "default", **rules: RuleOutcome) -> PolicyOutcome:
    return PolicyOutcome("forward", "small", decision, 0.1, rules)


BLOCKED = PolicyOutcome("reject", NO_MODEL, "attack", 0.0, {"attack": RuleOutcome(matched=True)})


def test_what_stays_the_same_is_no_change() -> None:
    comparison = compare_outcomes([1, 2], [large(), small()], [large(), small()])
    assert comparison.changed == ()


def test_shares_and_costs_are_of_all_requests() -> None:
    comparison = compare_outcomes([1, 2], [large(), large()], [large(), small()])
    assert comparison.old.shares == {"large": 1.0}
    assert comparison.new.shares == {"large": 0.5, "small": 0.5}
    assert (comparison.old.cost, comparison.new.cost) == (1.0, pytest.approx(0.6))


def test_a_change_names_its_line() -> None:
    comparison = compare_outcomes([3, 8], [large(), large()], [large(), small()])
    assert [change.line for change in comparison.changed] == [8]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (
            large(),
            PolicyOutcome("forward", "small", "maths", 0.1, {"maths": HELD}),
            "'maths' named large before and named small now",
        ),
        (large(), small(), "'maths' is gone; 'default' takes it"),
        (
            large(),
            small(maths=FAILED),
            "'maths' no longer matches (complexity: min 0.6); 'default' takes it",
        ),
        (
            large(),
            small("law", law=LAW, maths=HELD),
            "'maths' still matches, but later; 'law' is new and takes it (domain: law)",
        ),
        (
            large(maths=HELD, law=LAW),
            small("law", law=LAW, maths=HELD),
            "'maths' still matches, but later; 'law' comes first (domain: law)",
        ),
        (
            large(maths=HELD, law=RuleOutcome(matched=False)),
            small("law", law=LAW),
            "'maths' is gone; 'law' matches now (domain: law)",
        ),
        (small(), BLOCKED, "'default' took it before; 'attack' is new and takes it"),
        (
            PolicyOutcome("forward", "small", "attack", 0.1, BLOCKED.rules),
            BLOCKED,
            "'attack' named small before and refused now",
        ),
        (
            PolicyOutcome("answer", NO_MODEL, "attack", 0.0, BLOCKED.rules),
            BLOCKED,
            "'attack' answered before and refused now",
        ),
        (
            PolicyOutcome("reject", NO_MODEL, "", 0.0),
            small(),
            "no decision took it before; 'default' takes it",
        ),
    ],
)
def test_the_reason_is_one_sentence(old: PolicyOutcome, new: PolicyOutcome, reason: str) -> None:
    assert reason_of(old, new) == reason
