"""What is true of every policy, whatever its rules and readings are."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import Readings, Rule, read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals.base import Reading

TARGET = Target("small", "vllm_small", "Qwen/Qwen3-4B", None)
SIGNALS = ("domain", "tier", "guard")
LABELS = ("a", "b", "c")
SCORES = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
CASES = settings(max_examples=60, deadline=None, database=None)

WORDS = st.lists(st.sampled_from(LABELS), min_size=1, unique=True)
RANGES = st.one_of(
    st.builds(lambda low: {"min": low}, SCORES),
    st.builds(lambda high: {"max": high}, SCORES),
    st.builds(lambda low, words: {"min": low, "any": words}, SCORES, WORDS),
)
TESTS = st.one_of(st.booleans(), st.sampled_from(LABELS), WORDS, RANGES)
LEAVES = st.builds(lambda signal, test: {signal: test}, st.sampled_from(SIGNALS), TESTS)
TREES = st.recursive(
    LEAVES,
    lambda trees: st.one_of(
        st.builds(lambda part: {"not": part}, trees),
        st.builds(
            lambda word, parts: {word: parts},
            st.sampled_from(["all", "any"]),
            st.lists(trees, min_size=1, max_size=3),
        ),
    ),
    max_leaves=6,
)
SCORED = st.dictionaries(st.sampled_from(LABELS), SCORES)
READINGS = st.fixed_dictionaries(
    {},
    optional={
        name: st.builds(
            Reading,
            st.just(name),
            st.none() | st.sampled_from(LABELS),
            SCORES,
            SCORED,
            also=st.lists(st.sampled_from(LABELS), max_size=2, unique=True).map(tuple),
        )
        for name in SIGNALS
    },
)
PRIORITIES = st.integers(0, 2)
RULES = st.lists(st.tuples(PRIORITIES, TREES), min_size=1, max_size=5)


def policy(rules: Sequence[tuple[str, int, Rule]]) -> Policy:
    decisions = [RoutingDecision(name, rank, rule, (Candidate(TARGET),), None) for name, rank, rule in rules]
    return Policy(decisions, default=TARGET)


def named(rules: Sequence[tuple[int, object]]) -> list[tuple[str, int, Rule]]:
    return [(f"d{index}", rank, read_rule(when)) for index, (rank, when) in enumerate(rules)]


@CASES
@given(TREES, READINGS)
def test_not_not_changes_nothing(when: object, readings: Readings) -> None:
    assert read_rule({"not": {"not": when}}).holds(readings) is read_rule(when).holds(readings)


@CASES
@given(st.lists(TREES, min_size=1, max_size=4), READINGS, st.randoms())
def test_the_order_inside_all_and_any_never_matters(
    parts: list[object], readings: Readings, random: Random
) -> None:
    shuffled = list(parts)
    random.shuffle(shuffled)
    for word in ("all", "any"):
        written = read_rule({word: parts}).holds(readings)
        assert read_rule({word: shuffled}).holds(readings) is written


@CASES
@given(st.lists(TREES, min_size=1, max_size=4), READINGS)
def test_not_any_is_all_not(parts: list[object], readings: Readings) -> None:
    none = read_rule({"not": {"any": parts}})
    each_not = read_rule({"all": [{"not": part} for part in parts]})
    assert none.holds(readings) is each_not.holds(readings)


@CASES
@given(RULES, READINGS)
def test_the_first_that_holds_is_taken_by_priority_and_then_as_written(
    rules: list[tuple[int, object]], readings: Readings
) -> None:
    written = named(rules)
    holding = [
        (-rank, index, name) for index, (name, rank, rule) in enumerate(written) if rule.holds(readings)
    ]
    expected = min(holding)[2] if holding else "default"
    assert policy(written).decide(readings).decision == expected


@CASES
@given(RULES, READINGS, st.randoms())
def test_the_order_of_unrelated_rules_never_matters(
    rules: list[tuple[int, object]], readings: Readings, random: Random
) -> None:
    """With a priority of its own each, where a decision is written says nothing."""
    written = [(name, index, rule) for index, (name, _, rule) in enumerate(named(rules))]
    shuffled = list(written)
    random.shuffle(shuffled)
    assert policy(shuffled).decide(readings).decision == policy(written).decide(readings).decision


@CASES
@given(RULES, READINGS)
def test_decisions_that_do_not_hold_change_nothing(
    rules: list[tuple[int, object]], readings: Readings
) -> None:
    written = named(rules)
    holding = [each for each in written if each[2].holds(readings)]
    assert policy(holding).decide(readings).decision == policy(written).decide(readings).decision


@CASES
@given(RULES, READINGS)
def test_with_every_signal_read_nothing_is_unknown(
    rules: list[tuple[int, object]], readings: Readings
) -> None:
    for _, _, rule in named(rules):
        assert rule.holds_without(readings, frozenset()) is rule.holds(readings)


@CASES
@given(RULES, READINGS)
def test_the_trace_ends_with_the_decision_that_is_taken(
    rules: list[tuple[int, object]], readings: Readings
) -> None:
    route = policy(named(rules)).decide(readings)
    matched = [trace.decision for trace in route.trace if trace.matched]
    assert matched == ([] if route.decision == "default" else [route.decision])
    assert [trace.decision for trace in route.trace[:1]] == [route.trace[0].decision]
