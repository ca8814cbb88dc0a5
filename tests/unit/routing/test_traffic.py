from __future__ import annotations

import pytest

from router_extproc.routing.catalogue import Target
from router_extproc.routing.fallback import Fallbacks
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import Route
from router_extproc.routing.traffic import ENVOY_SAID_S, Traffic
from router_extproc.testing.clock import ManualClock

TARGETS = {
    name: Target(name, f"pool_{name}", f"served-{name}", None)
    for name in ("large", "medium", "small", "alone")
}
FALLBACKS = Fallbacks(TARGETS, {"large": "medium", "medium": "small"})
REFUSED = "upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Refused}"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def traffic(clock: ManualClock) -> Traffic:
    return Traffic(clock, FALLBACKS.targets, FALLBACKS.models)


def sent(traffic: Traffic, model: str) -> Route:
    """As a request is sent that is decided for the model."""
    policy = Policy((), default=TARGETS[model], fallbacks=FALLBACKS)
    return policy.decide({}, traffic.snapshot()).to_fallback()


def answers(traffic: Traffic, model: str) -> tuple[str, str | None]:
    """Who answers a request for the model, and in whose place."""
    route = sent(traffic, model)
    return route.target.model, route.fallback_of


def test_a_pool_of_which_nothing_is_known_is_up(traffic: Traffic) -> None:
    assert answers(traffic, "large") == ("large", None)


def test_a_pool_that_was_reached_and_no_longer_answers_is_down(traffic: Traffic) -> None:
    traffic.probed("pool_large", up=True)
    traffic.probed("pool_large", up=False)
    assert answers(traffic, "large") == ("medium", "large")
    traffic.probed("pool_large", up=True)
    assert answers(traffic, "large") == ("large", None)


def test_a_pool_that_no_probe_has_ever_reached_is_not_taken_away(traffic: Traffic) -> None:
    """The sidecar may not be allowed to ask where Envoy is."""
    traffic.probed("pool_large", up=False)
    assert answers(traffic, "large") == ("large", None)


def test_an_answer_is_better_evidence_than_a_failing_probe(traffic: Traffic, clock: ManualClock) -> None:
    traffic.probed("pool_large", up=True)
    traffic.probed("pool_large", up=False)
    clock.advance(1)
    traffic.heard("pool_large", "via_upstream")
    assert answers(traffic, "large") == ("large", None)


@pytest.mark.parametrize("details", ["no_healthy_upstream", REFUSED])
def test_envoys_word_holds_for_a_while(traffic: Traffic, clock: ManualClock, details: str) -> None:
    """Then one request finds out again, also where no probe reaches the pool."""
    traffic.heard("pool_large", details)
    assert answers(traffic, "large") == ("medium", "large")
    clock.advance(ENVOY_SAID_S)
    assert answers(traffic, "large") == ("large", None)


@pytest.mark.parametrize(
    "details", ["", "upstream_reset_before_response_started{connection_termination}", "response_timeout", "x"]
)
def test_what_may_have_been_one_requests_fate_says_nothing_of_the_pool(
    traffic: Traffic, details: str
) -> None:
    traffic.heard("pool_large", details)
    assert answers(traffic, "large") == ("large", None)


def test_a_pool_that_came_back_by_its_probes_is_used_at_once(traffic: Traffic) -> None:
    traffic.probed("pool_large", up=True)
    traffic.probed("pool_large", up=False)
    traffic.heard("pool_large", "no_healthy_upstream")
    traffic.probed("pool_large", up=True)
    assert answers(traffic, "large") == ("large", None)


def test_the_chain_is_followed_to_the_first_model_that_is_up(traffic: Traffic) -> None:
    for cluster in ("pool_large", "pool_medium"):
        traffic.heard(cluster, "no_healthy_upstream")
    assert answers(traffic, "large") == ("small", "large")
    assert answers(traffic, "medium") == ("small", "medium")


def test_the_last_of_a_chain_is_asked_whatever_is_said_of_it(traffic: Traffic) -> None:
    for cluster in ("pool_large", "pool_medium", "pool_small"):
        traffic.heard(cluster, "no_healthy_upstream")
    assert answers(traffic, "large") == ("small", "large")


def test_a_model_without_a_fallback_goes_to_its_own_pool(traffic: Traffic) -> None:
    traffic.heard("pool_alone", "no_healthy_upstream")
    traffic.probed("pool_alone", up=False)
    assert answers(traffic, "alone") == ("alone", None)
    assert traffic.watched == ("pool_large", "pool_medium")


def test_each_change_is_told_once(traffic: Traffic) -> None:
    assert traffic.changes() == {}
    traffic.heard("pool_large", "no_healthy_upstream")
    assert traffic.changes() == {"pool_large": False}
    assert traffic.changes() == {}
    traffic.heard("pool_large", "via_upstream")
    assert traffic.changes() == {"pool_large": True}


def test_a_snapshot_stays_as_it_was_taken(traffic: Traffic) -> None:
    """What a decision sees of the pools does not change under it."""
    before = traffic.snapshot()
    traffic.heard("pool_large", "no_healthy_upstream")
    assert not before.is_down("pool_large")
    assert traffic.snapshot().down == {"pool_large"}
