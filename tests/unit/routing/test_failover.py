from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.llm.request import Contents
from router_extproc.routing.accepts import Demands
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import Failovers, chain_name
from router_extproc.routing.fallback import Fallbacks
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import Route
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.traffic import FAILURES_MAX, Traffic, TrafficSnapshot
from router_extproc.routing.traffic.health import PAUSE_MIN_S
from router_extproc.routing.traffic.snapshot import Factors
from router_extproc.testing.clock import ManualClock

A, B, C = [Target(name, f"pool_{name}", f"served-{name}", None) for name in "abc"]
TARGETS = {each.model: each for each in (A, B, C)}
IMAGE = Demands.of(Contents(images=1))


def failovers(*rest: Target, attempts_max: int = 2) -> Failovers:
    return Failovers({("d", "a"): rest, ("", "a"): (C,), ("kept", "a"): ()}, attempts_max)


def models(targets: tuple[Target, ...]) -> str:
    return "".join(each.model for each in targets)


@pytest.mark.parametrize(("attempts_max", "after"), [(1, ""), (2, "b"), (3, "bc"), (4, "bc")])
def test_at_most_so_many_models_are_asked_in_all(attempts_max: int, after: str) -> None:
    assert models(failovers(B, C, attempts_max=attempts_max).after("d", A)) == after


@pytest.mark.parametrize(("decision", "after"), [("d", "b"), ("other", "c"), ("pinned", "c"), ("kept", "")])
def test_what_no_decision_says_anything_of_goes_to_the_fallbacks(decision: str, after: str) -> None:
    """And what a decision keeps goes nowhere."""
    assert models(failovers(B).after(decision, A)) == after
    assert failovers(B).after(decision, B) == ()


def test_a_model_that_does_not_take_the_request_is_passed_over() -> None:
    blind, short = replace(B, accepts=frozenset()), replace(B, context_tokens=10)
    assert models(failovers(blind, C).after("d", A, IMAGE)) == "c"
    assert models(failovers(short, C).after("d", A, Demands(tokens=11))) == "c"
    assert models(failovers(short, C).after("d", A, Demands(tokens=10))) == "b"


def test_the_first_whose_pool_is_up_answers_at_once_when_that_of_the_chosen_one_is_down() -> None:
    down = TrafficSnapshot(frozenset({"pool_a", "pool_b"}))
    assert _route(failovers(B, C), down).target == C
    assert _route(failovers(B, C), down).fallback_of == "a"
    assert _route(failovers(B), down).target == A
    assert _route(failovers(B), TrafficSnapshot(frozenset({"pool_b"}))).target == A


def test_the_model_that_was_meant_stands_in_for_nobody() -> None:
    meant = Route("d", A, None)
    assert meant.instead(B).fallback_of == "a"
    assert meant.instead(B).instead(C).fallback_of == "a"
    assert meant.instead(B).instead(A) == meant


def test_a_pool_that_fails_some_requests_in_a_row_is_left_and_tried_again() -> None:
    clock = ManualClock()
    traffic = Traffic(clock, TARGETS, ["a"])
    for _ in range(FAILURES_MAX - 1):
        traffic.failed("pool_a")
    traffic.heard("pool_a", "via_upstream")
    for _ in range(FAILURES_MAX):
        assert not traffic.snapshot().is_down("pool_a")
        traffic.failed("pool_a")
    assert traffic.snapshot().is_down("pool_a")
    clock.advance(60)
    assert not traffic.snapshot().is_down("pool_a")
    traffic.failed("pool_a")
    assert traffic.snapshot().is_down("pool_a")
    traffic.failed("pool_c")
    assert not traffic.snapshot().is_down("pool_c")


def test_a_model_that_requests_move_on_from_is_paused_for_longer_each_time() -> None:
    """So a pool that is silent costs few requests the wait for its first byte."""
    clock = ManualClock()
    traffic = Traffic(clock, TARGETS, ["a"])
    traffic.live.follow(["a", "b"], Factors())
    for _ in range(FAILURES_MAX):
        traffic.moved_on("a", "d")
    assert traffic.snapshot().of("a").state == "paused"
    clock.advance(PAUSE_MIN_S)
    assert traffic.snapshot().of("a").state == "probing"
    traffic.moved_on("a", "d")
    clock.advance(PAUSE_MIN_S)
    assert traffic.snapshot().of("a").state == "paused"
    traffic.moved_on("nobody", "d")


def test_the_pools_that_may_be_left_are_watched() -> None:
    policy = Policy((), default=A, fallbacks=Fallbacks(TARGETS, {"c": "a"}), failovers=failovers(B))
    assert set(policy.leavable) == {"a", "c"}


def test_a_chain_has_the_names_of_its_pools() -> None:
    assert chain_name(["pool_a", "pool_b"]) == "pool_a>pool_b"


def _route(failing_over: Failovers, down: TrafficSnapshot) -> Route:
    decision = RoutingDecision("d", 1, ALWAYS, (Candidate(A),), None)
    policy = Policy([decision], default=A, fallbacks=Fallbacks(TARGETS, {}), failovers=failing_over)
    route = policy.decide({}, down)
    assert isinstance(route, Route)
    return route.to_fallback()
