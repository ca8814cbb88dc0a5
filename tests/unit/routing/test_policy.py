"""The policy's order, its default, the choice of a candidate, and what it looks at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from router_extproc.errors import RouterUnavailable
from router_extproc.llm.changes import ReasoningChange, RequestChanges
from router_extproc.routing.actions import Block, Redaction
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.fallback import Fallbacks
from router_extproc.routing.policy import Policy
from router_extproc.routing.route import LocalReply, Route
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.traffic import TrafficSnapshot
from router_extproc.routing.traffic.snapshot import ModelTraffic
from router_extproc.signals.base import Reading

SMALL = Target("small", "vllm_small", "Qwen/Qwen3-4B", None)
LARGE = Target("large", "vllm_large", "Qwen/Qwen3-32B", "qwen3")
FALLBACKS = Fallbacks({"small": SMALL, "large": LARGE}, {"large": "small"})
LARGE_DOWN = TrafficSnapshot(frozenset(["vllm_large"]))
REASON = RequestChanges(reasoning=ReasoningChange(on=True))
MATHS = {"domain": Reading("domain", "math", 0.9)}


def decision(name: str, priority: int = 0, when: object = None) -> RoutingDecision:
    return RoutingDecision(name, priority, read_rule(when), (Candidate(LARGE),), REASON, tags=("t",))


def policy(*decisions: RoutingDecision) -> Policy:
    return Policy(decisions, default=SMALL, fallbacks=FALLBACKS)


def test_highest_priority_wins() -> None:
    assert policy(decision("low", 1), decision("high", 2)).decide(MATHS).decision == "high"


def test_first_written_wins_among_equals() -> None:
    assert policy(decision("first"), decision("second")).decide(MATHS).decision == "first"


def test_route_carries_what_its_decision_says() -> None:
    route = policy(decision("maths", 1, {"domain": "math"})).decide(MATHS)
    assert (route.target, route.changes, route.tags) == (LARGE, REASON, ("t",))


def test_no_matching_decision_gives_the_default_route() -> None:
    route = policy(decision("law", 1, {"domain": "law"})).decide(MATHS)
    assert (route.decision, route.target) == ("default", SMALL)


def test_trace_names_every_decision_that_was_looked_at() -> None:
    """`explain` shows why the ones above did not apply, and stops where one did."""
    decisions = (decision("law", 3, {"domain": "law"}), decision("maths", 2), decision("never", 1))
    trace = policy(*decisions).decide(MATHS).trace
    assert [(rule.decision, rule.matched) for rule in trace] == [("law", False), ("maths", True)]
    assert trace[0].tests == {"domain: law": False}


def test_another_candidate_stands_in_for_a_paused_one() -> None:
    """What it answers is for nobody once the model is back, so the route says in whose place it stands."""
    both = RoutingDecision("d", 0, ALWAYS, (Candidate(LARGE), Candidate(SMALL)), None)
    paused = TrafficSnapshot(models={"large": ModelTraffic("paused", available=False)})
    routes = [policy(both).decide({}, traffic) for traffic in (paused, TrafficSnapshot())]
    assert [(route.target, route.fallback_of) for route in routes if isinstance(route, Route)] == [
        (SMALL, "large"),
        (LARGE, None),
    ]


def test_a_pinned_request_asks_no_rule_of_others() -> None:
    route = policy(decision("maths")).decide_pinned(SMALL, MATHS)
    assert (route.decision, route.target, tuple(route.trace)) == ("pinned", SMALL, ())


def test_a_pinned_request_keeps_its_model_under_a_decision_that_takes_it() -> None:
    taking = replace(decision("maths", 1, {"domain": "math"}), takes_pinned=True)
    route = policy(decision("other", 2), taking).decide_pinned(SMALL, MATHS)
    assert isinstance(route, Route)
    assert (route.decision, route.target, route.changes, route.tags) == ("maths", SMALL, REASON, ("t",))
    assert policy(taking).decide_pinned(SMALL, {}).decision == "pinned"


def test_a_pinned_request_is_blocked_as_others_are() -> None:
    block = replace(decision("no"), candidates=(), action=Block("No."), takes_pinned=True)
    assert isinstance(policy(block).decide_pinned(SMALL, {}), LocalReply)


def test_only_signals_of_decisions_that_take_pinned_requests_are_read_for_them() -> None:
    taking = replace(decision("a", when={"guard": True}), takes_pinned=True)
    known = policy(taking, decision("b", when={"domain": True}))
    assert known.pinned_signals == {"guard"}
    assert known.signals == {"guard", "domain"}
    assert policy(decision("b", when={"domain": True})).pinned_signals == frozenset()


def test_who_may_answer_hangs_on_whether_the_model_was_named() -> None:
    plain = policy(decision("a"), replace(decision("b"), takes_pinned=True))
    assert [plain.may_send(name, SMALL, pinned=True) for name in ("pinned", "default", "a", "b")] == [
        True, False, False, True,
    ]  # fmt: skip
    assert [plain.may_send(name, LARGE) for name in ("pinned", "default", "a", "b")] == [
        False, False, True, True,
    ]  # fmt: skip
    assert not plain.may_send("gone", LARGE)


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
        policy(refusing(when)).decide(NOTHING, unread=UNREAD)
    assert policy(refusing(when)).decide(NOTHING)
    assert policy(decision("open", 5, when)).decide(NOTHING, unread=UNREAD)


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
    assert policy(refusing(when)).decide(NOTHING, unread=UNREAD).decision == taken


def test_what_was_found_without_inference_is_found() -> None:
    """A card number is a card number, whether names could be looked for or not."""
    found = {**NOTHING, "pii": Reading("pii", "CREDIT_CARD", 1.0)}
    assert policy(refusing({"pii": True})).decide(found, unread=UNREAD).decision == "refusing"
    assert policy(refusing({"pii": False})).decide(found, unread=UNREAD).decision == "default"
    with pytest.raises(RouterUnavailable):
        policy(refusing({"pii": "PERSON"})).decide(found, unread=UNREAD)


def test_a_decision_of_higher_priority_takes_its_requests_all_the_same() -> None:
    higher = decision("higher", 9, {"domain": "math"})
    assert policy(refusing({"guard": True}), higher).decide(NOTHING, unread=UNREAD).decision == "higher"


BLOCKED = RoutingDecision("blocked", 5, read_rule({"guard": True}), (), None, action=Block("no"))


@pytest.mark.parametrize(
    ("others", "may_act"),
    [
        ([], True),
        ([decision("sure", 9, {"domain": "math"})], False),
        ([decision("unsure", 9, {"pii": True})], True),
        ([decision("after", 1, {"domain": "math"})], True),
        ([decision("clean", 9, {"guard": False})], True),
    ],
)
def test_a_route_says_that_it_might_have_been_blocked(
    others: list[RoutingDecision], *, may_act: bool
) -> None:
    routes = policy(BLOCKED, *others)
    assert routes.decide(NOTHING, unread=UNREAD).may_act is may_act
    assert not routes.decide(NOTHING).may_act
    assert policy(BLOCKED, *others).decide(NOTHING, unread=frozenset({"tier"})).may_act is False


def test_a_pinned_route_says_that_it_might_have_been_redacted() -> None:
    redacting = replace(decision("redacting", 5, {"pii": True}), redaction=Redaction(("PERSON",)))
    pinned = policy(replace(redacting, takes_pinned=True))
    assert pinned.decide_pinned(LARGE, NOTHING, unread=UNREAD).may_act
    assert not policy(redacting).decide_pinned(LARGE, NOTHING, unread=UNREAD).may_act


# ── candidates, fallbacks ─────────────────────────────────────────────────────────────────────


class BySignal:
    """Chooses the second candidate when `hard` has a label, or the first one's pool is down."""

    signals = frozenset(["hard"])
    counts_tokens = False
    by_need = True

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        hard = known.readings.get("hard")
        first_is_down = known.traffic.is_down(candidates[0].target.cluster)
        return Choice(candidates[1 if first_is_down or (hard and hard.label) else 0], "by signal")


TWO = RoutingDecision(
    "two", 1, read_rule({"domain": "math"}), (Candidate(LARGE), Candidate(SMALL)), None, selection=BySignal()
)


def test_the_selection_chooses_among_the_candidates_by_readings_and_traffic() -> None:
    hard = {**MATHS, "hard": Reading("hard", "yes", 1.0)}
    assert policy(TWO).decide(MATHS).target == LARGE
    assert policy(TWO).decide(hard).target == SMALL
    assert policy(TWO).decide(MATHS, LARGE_DOWN).target == SMALL


def test_the_first_candidate_is_chosen_where_nothing_is_said() -> None:
    assert policy(replace(decision("one"), candidates=TWO.candidates)).decide(MATHS).target == LARGE


def test_a_route_to_a_pool_that_is_down_names_the_fallback_and_stays_itself() -> None:
    """What the model itself has answered before is looked up first."""
    route = policy(decision("maths")).decide(MATHS, LARGE_DOWN)
    assert (route.target, route.fallback, route.fallback_of) == (LARGE, SMALL, None)
    sent = route.to_fallback()
    assert (sent.target, sent.fallback, sent.fallback_of) == (SMALL, None, "large")
    assert replace(sent, target=LARGE, fallback_of=None) == replace(route, fallback=None)


def test_a_pinned_request_is_sent_to_the_fallback_too() -> None:
    assert policy().decide_pinned(LARGE, {}, LARGE_DOWN).fallback == SMALL
    assert policy().decide_pinned(LARGE, {}).fallback is None


def test_a_route_without_a_fallback_is_sent_as_it_is() -> None:
    route = policy(decision("maths")).decide(MATHS)
    assert route.to_fallback() is route


def test_the_policy_knows_the_signals_that_its_rules_and_selections_look_at() -> None:
    nested = {"any": [{"not": {"pii": True}}, {"all": [{"guard": True}, {"domain": "law"}]}]}
    assert policy(decision("nested", 1, nested), TWO).signals == {"pii", "guard", "domain", "hard"}
    assert policy().signals == frozenset()


def test_when_every_pool_of_a_chain_is_down_the_models_own_is_asked() -> None:
    all_down = TrafficSnapshot(frozenset(["vllm_small", "vllm_large"]))
    assert policy(decision("maths")).decide(MATHS, all_down).fallback is None


def test_equal_readings_and_equal_traffic_give_the_same_route() -> None:
    one = policy(TWO, decision("law", 3, {"domain": "law"}))
    assert one.decide(MATHS, LARGE_DOWN) == one.decide(MATHS, LARGE_DOWN)


def test_a_request_of_which_only_the_name_is_known_meets_no_decision() -> None:
    asked = policy(decision("all", 9))
    assert asked.by_name(LARGE) == Route("pinned", LARGE, None)
    assert asked.by_name(None) == Route("default", SMALL, None)
    assert asked.by_name(LARGE, LARGE_DOWN).fallback == SMALL
