"""The policy's order, its default, and what stays known of a decision once it is gone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.errors import RouterUnavailable
from router_extproc.routing.policy import Policy, RoutingDecision, Target
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


UNREAD = frozenset({"guard", "pii"})
NOTHING = {"guard": Reading("guard", None, 0.0), "pii": Reading("pii", None, 0.0), **MATHS}


def refusing(when: object, priority: int = 5) -> RoutingDecision:
    return replace(decision("refusing", priority, when), refuses_unread=True)


@pytest.mark.parametrize(
    "when",
    [
        {"guard": True},
        {"guard": ["jailbreak"]},
        {"guard": {"min": 0.5}},
        {"guard": False},
        {"not": {"guard": True}},
        {"all": [{"domain": "math"}, {"guard": True}]},
        {"any": [{"domain": "law"}, {"guard": True}]},
        {"all": [{"guard": True}, {"pii": True}]},
        {"guard": {"max": 0.5}},
    ],
)
def test_what_a_decision_might_have_taken_is_refused_when_it_says_so(when: object) -> None:
    with pytest.raises(RouterUnavailable):
        policy(refusing(when)).decide(NOTHING, UNREAD)
    assert policy(refusing(when)).decide(NOTHING)
    assert policy(decision("open", 5, when)).decide(NOTHING, UNREAD)


@pytest.mark.parametrize(
    ("when", "taken"),
    [
        ({"all": [{"domain": "law"}, {"guard": True}]}, "default"),
        ({"any": [{"domain": "math"}, {"guard": True}]}, "refusing"),
        ({"domain": "law"}, "default"),
        ({"domain": "math"}, "refusing"),
    ],
)
def test_what_does_not_depend_on_the_unread_signal_is_not_refused(when: object, taken: str) -> None:
    assert policy(refusing(when)).decide(NOTHING, UNREAD).decision == taken


def test_what_was_found_without_inference_is_found() -> None:
    """A card number is a card number, whether names could be looked for or not."""
    found = {**NOTHING, "pii": Reading("pii", "CREDIT_CARD", 1.0)}
    assert policy(refusing({"pii": True})).decide(found, UNREAD).decision == "refusing"
    assert policy(refusing({"pii": False})).decide(found, UNREAD).decision == "default"
    with pytest.raises(RouterUnavailable):
        policy(refusing({"pii": "PERSON"})).decide(found, UNREAD)


def test_a_decision_of_higher_priority_takes_its_requests_all_the_same() -> None:
    higher = decision("higher", 9, {"domain": "math"})
    assert policy(refusing({"guard": True}), higher).decide(NOTHING, UNREAD).decision == "higher"
