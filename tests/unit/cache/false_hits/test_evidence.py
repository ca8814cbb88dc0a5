"""What is known of each decision's hits, and whose word counts where."""

from __future__ import annotations

from router_extproc.cache.base import Scope
from router_extproc.cache.false_hits.evidence import OPEN, SCOPES_MAX, Evidence, Sample
from router_extproc.cache.false_hits.threshold import CLOSED, ShadowResult

ONE, OTHER = Scope("one"), Scope("other")
RIGHT, WRONG = ShadowResult(0.999, wrong=False), ShadowResult(0.999, wrong=True)


def bounded(_decision: str) -> float:
    return 0.1


def opened(scopes_max: int = SCOPES_MAX) -> Evidence:
    evidence = Evidence(bounded, scopes_max=scopes_max)
    for _ in range(128):
        evidence.record("maths", RIGHT)
    return evidence


def test_without_a_bound_every_score_is_enough() -> None:
    evidence = Evidence(lambda _decision: None)
    evidence.record("maths", WRONG)
    assert evidence.gate("maths", ONE) == OPEN


def test_with_a_bound_nothing_is_a_hit_until_it_is_proven() -> None:
    assert Evidence(bounded).gate("maths", ONE).is_closed
    assert not opened().gate("maths", ONE).is_closed


def test_decisions_do_not_vouch_for_each_other() -> None:
    assert opened().gate("other", ONE).is_closed


def test_a_clients_complaints_close_its_own_scope_only() -> None:
    evidence = opened()
    for _ in range(64):
        evidence.record_feedback("maths", WRONG, source="client", scope=ONE)
    assert evidence.gate("maths", ONE).is_closed
    assert not evidence.gate("maths", OTHER).is_closed


def test_an_operators_complaints_count_for_all() -> None:
    evidence = opened()
    for _ in range(64):
        evidence.record_feedback("maths", WRONG, source="operator", scope=ONE)
    assert evidence.gate("maths", OTHER).is_closed


def test_scopes_that_complain_are_bounded() -> None:
    evidence = opened(scopes_max=1)
    for scope in (ONE, OTHER):
        for _ in range(64):
            evidence.record_feedback("maths", WRONG, source="client", scope=scope)
    assert not evidence.gate("maths", ONE).is_closed
    assert evidence.gate("maths", OTHER).is_closed


def test_new_trials_are_seen_where_complaints_are_known() -> None:
    evidence = opened()
    evidence.record_feedback("maths", WRONG, source="client", scope=ONE)
    before = evidence.gate("maths", ONE)
    for _ in range(128):
        evidence.record("maths", WRONG)
    assert not before.is_closed
    assert evidence.gate("maths", ONE).is_closed


def test_complaints_are_counted_beside_the_rate_and_not_in_it() -> None:
    """Comparisons are drawn at random; nobody complains about a right answer."""
    evidence = Evidence(lambda _decision: None)
    evidence.record("maths", RIGHT)
    evidence.record("maths", WRONG)
    evidence.record_feedback("maths", WRONG, source="client", scope=ONE)
    found = evidence.findings()["maths"]
    assert (found.latest, found.own, found.score_min) == (Sample(2, 1), Sample(2, 1), None)
    assert found.feedback == {"client": 1}


def test_a_decision_with_a_bound_tells_what_it_needs() -> None:
    assert Evidence(bounded).findings() == {}
    evidence = Evidence(bounded)
    evidence.gate("maths", ONE)
    assert evidence.findings()["maths"].score_min == CLOSED


def test_what_is_learned_later_is_not_in_a_state_that_was_taken_before() -> None:
    """It is written later, and a worker that takes it back hears of later feedback one by one."""
    evidence = opened()
    evidence.record_feedback("maths", WRONG, source="client", scope=ONE)
    before, taken = evidence.kept().scopes, evidence.kept_scopes()
    evidence.record_feedback("maths", WRONG, source="client", scope=ONE)
    assert tuple(taken) == before
