"""The policy's order, its default, and what stays known of a decision once it is gone."""

from __future__ import annotations

from router_extproc.routing.policy import CachePolicy, Policy, RoutingDecision, Target
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.signals.base import Reading

SMALL = Target("small", "vllm_small", "Qwen/Qwen3-4B", None)
LARGE = Target("large", "vllm_large", "Qwen/Qwen3-32B", "qwen3")
CACHE = CachePolicy("semantic", 0.8, 3600, store_tool_calls=False)
MATHS = {"domain": Reading("domain", "math", 0.9)}


def decision(name: str, priority: int = 0, when: object = None) -> RoutingDecision:
    return RoutingDecision(name, priority, read_rule(when), LARGE, reasoning=True, cache=CACHE, tags=("t",))


def policy(*decisions: RoutingDecision) -> Policy:
    return Policy(decisions, default=SMALL, default_cache=CACHE)


def test_highest_priority_wins() -> None:
    assert policy(decision("low", 1), decision("high", 2)).decide(MATHS).decision == "high"


def test_first_written_wins_among_equals() -> None:
    assert policy(decision("first"), decision("second")).decide(MATHS).decision == "first"


def test_route_carries_what_its_decision_says() -> None:
    route = policy(decision("maths", 1, {"domain": "math"})).decide(MATHS)
    assert (route.target, route.reasoning, route.tags) == (LARGE, True, ("t",))


def test_no_matching_decision_gives_the_default_route() -> None:
    route = policy(decision("law", 1, {"domain": "law"})).decide(MATHS)
    assert (route.decision, route.target) == ("default", SMALL)


def test_trace_names_every_decision_that_was_looked_at() -> None:
    """`explain` shows why the ones above did not apply, and stops where one did."""
    decisions = (decision("law", 3, {"domain": "law"}), decision("maths", 2), decision("never", 1))
    trace = policy(*decisions).decide(MATHS).trace
    assert [(rule.decision, rule.matched) for rule in trace] == [("law", False), ("maths", True)]
    assert trace[0].tests == {"domain: law": False}


def test_pinned_request_asks_no_rule() -> None:
    route = policy(decision("maths")).pin(SMALL)
    assert (route.decision, route.target, route.trace) == ("pinned", SMALL, ())


def test_cache_policy_of_a_removed_decision_is_unknown() -> None:
    """An entry stored under a decision that no longer exists must not be replayed."""
    known = policy(decision("maths"))
    assert known.cache_policy("maths") == CACHE
    assert known.cache_policy("pinned") == known.cache_policy("default") == CACHE
    assert known.cache_policy("law") is None


def test_empty_rule_always_holds() -> None:
    assert ALWAYS.holds({})
