from __future__ import annotations

from router_extproc.pipeline.evaluation.budgets import HOUR_S, HourlyBudgets


def test_within_any_hour_there_are_never_more_than_the_budget() -> None:
    """Also across the turn of an hour."""
    budgets = HourlyBudgets()
    assert [budgets.take("a", 2, at_s) for at_s in (0.0, HOUR_S - 1, HOUR_S - 0.5)] == [True, True, False]
    assert [budgets.take("a", 2, HOUR_S + after_s) for after_s in (0.0, 1.0)] == [True, False]


def test_several_requests_fit_together_or_not_at_all_and_one_may_be_given_back() -> None:
    budgets = HourlyBudgets()
    assert [budgets.take("a", 3, 0.0, requests=2) for _ in range(2)] == [True, False]
    budgets.give_back("a")
    budgets.give_back("never")
    assert [budgets.take("a", 3, 0.0, requests=2) for _ in range(2)] == [True, False]
    assert not budgets.take("a", 3, HOUR_S - 1)


def test_each_name_has_its_own_and_one_that_is_gone_is_forgotten() -> None:
    budgets = HourlyBudgets()
    assert [budgets.take(name, 1, 0.0) for name in ("a", "b", "a")] == [True, True, False]
    budgets.keep(frozenset({"b"}))
    assert [budgets.take(name, 1, 1.0) for name in ("a", "b")] == [True, False]
