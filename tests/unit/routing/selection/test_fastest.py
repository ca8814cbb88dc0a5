"""`fastest` takes the candidate whose answer is there first, as far as that is known."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.selection.fastest import COLD, FASTEST, LESS_LOADED, MEASURE, FastestSelection
from router_extproc.routing.traffic.snapshot import ModelTraffic, TrafficSnapshot
from router_extproc.routing.traffic.sums import Speed

CANDIDATES = tuple(Candidate(Target(name, f"pool_{name}", name, None)) for name in ("a", "b", "c"))
QUICK = ModelTraffic(speed=Speed(0.1, 0.5, 0.02), tokens=100, answers=50)
STEADY = ModelTraffic(speed=Speed(0.5, 0.01, 0.01), tokens=300, answers=50)


def choose(tokens: int = 100, **models: ModelTraffic) -> Choice:
    return FastestSelection().choose(CANDIDATES, Circumstances({}, TrafficSnapshot(models=models), tokens))


def named(choice: Choice) -> tuple[str, str]:
    return choice.candidate.target.model, choice.reason


def test_before_anything_is_measured_the_configuration_decides() -> None:
    assert named(choose()) == ("a", COLD)
    assert named(choose(a=ModelTraffic(unmeasured=True), b=ModelTraffic(unmeasured=True))) == ("a", COLD)


def test_the_length_of_the_request_and_of_answers_counts() -> None:
    short = replace(QUICK, tokens=10), replace(STEADY, tokens=10)
    assert named(choose(100, a=short[0], b=short[1])) == ("a", FASTEST)
    assert named(choose(10_000, a=short[0], b=short[1])) == ("b", FASTEST)
    assert named(choose(100, a=QUICK, b=STEADY)) == ("b", FASTEST)


def test_much_more_in_flight_than_usual_passes_a_model_by() -> None:
    loaded = replace(STEADY, load=60, usual_load=4)
    assert named(choose(100, a=QUICK, b=replace(loaded, load=6))) == ("b", FASTEST)
    assert named(choose(100, a=QUICK, b=loaded)) == ("a", LESS_LOADED)
    assert choose(100, a=QUICK, b=loaded).numbers["b"]["load"] == 60


def test_a_few_requests_in_flight_do_not_make_a_pool_slow_that_had_none() -> None:
    assert named(choose(100, a=QUICK, b=replace(STEADY, load=5, usual_load=0))) == ("b", FASTEST)


def test_what_was_not_measured_for_a_while_gets_one_request_where_there_are_many() -> None:
    forgotten = replace(QUICK, unmeasured=True)
    assert named(choose(100, a=forgotten, b=STEADY)) == ("a", MEASURE)
    assert named(choose(100, b=STEADY, c=ModelTraffic(unmeasured=True))) == ("c", MEASURE)
    assert named(choose(100, a=forgotten, b=replace(STEADY, answers=2))) == ("b", FASTEST)


def test_what_was_never_measured_is_not_compared() -> None:
    assert named(choose(100, b=QUICK)) == ("b", FASTEST)


POSITIVE = st.floats(0, 1e6)
TRAFFIC = st.builds(
    ModelTraffic,
    speed=st.none() | st.builds(Speed, POSITIVE, POSITIVE, POSITIVE),
    tokens=st.none() | POSITIVE,
    load=st.integers(0, 10**6),
    usual_load=POSITIVE,
    unmeasured=st.booleans(),
    answers=POSITIVE,
)


@settings(max_examples=200, deadline=None, database=None)
@given(TRAFFIC, TRAFFIC, TRAFFIC, st.integers(0, 10**7))
def test_a_candidate_that_is_faster_in_every_way_is_never_left_for_its_speed(
    one: ModelTraffic, other: ModelTraffic, third: ModelTraffic, tokens: int
) -> None:
    choice = choose(tokens, a=one, b=other, c=third)
    if choice.reason != FASTEST:
        return
    seconds = {model: numbers["seconds"] for model, numbers in choice.numbers.items()}
    assert seconds[choice.candidate.target.model] == min(seconds.values())


@pytest.mark.parametrize("load", [0, 5, 500])
def test_equal_candidates_keep_the_order_of_the_configuration(load: int) -> None:
    same = replace(STEADY, load=load)
    assert named(choose(100, a=same, b=same, c=same)) == ("a", FASTEST)
