"""What answers cost, added up by decision, tag and tenant."""

from __future__ import annotations

import pytest

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline
from router_extproc.pipeline.costs import Account, Amounts, CostLedger, Counted
from router_extproc.pipeline.ledger import REST

LARGE = Baseline("large", {"small": Price(1.0, 2.0), "large": Price(10.0, 20.0)})
USAGE = Usage(1_000_000, 500_000)


def counted(*, tenant: str = "", decision: str = "easy", usage: Usage = USAGE) -> Counted:
    """A pool's answer of the small model."""
    told = Counted.of("small", decision, "pool", usage, LARGE.compare("small", usage), tenant)
    assert told is not None
    return told


def test_an_answer_is_of_its_decision_each_tag_and_its_tenant() -> None:
    """A million tokens in and half a million out: small 2, large 20 (15 to 30)."""
    ledger = CostLedger()
    ledger.add(counted(tenant="search"), ("cheap", "team", "cheap"))
    whole = Amounts(*map(pytest.approx, (2.0, 20.0, 15.0, 30.0)), 0.0, 1_000_000, 500_000)
    assert ledger.sums == {
        Account("decision", "easy", "pool", "small", "large"): whole,
        Account("tag", "cheap", "pool", "", "large"): whole,
        Account("tag", "team", "pool", "", "large"): whole,
        Account("tenant", "search", "pool", "", "large"): whole,
    }


def test_where_nobody_asked_for_tenants_there_is_none() -> None:
    ledger = CostLedger()
    ledger.add(counted())
    assert [account.group for account in ledger.sums] == ["decision"]


def test_without_a_price_only_tokens_are_counted() -> None:
    told = Counted.of("small", "easy", "cache", Usage(4, 3), None)
    assert told is not None
    assert (told.baseline, told.amounts) == ("", Amounts(prompt_tokens=4, completion_tokens=3))


def test_without_usage_nothing_is_counted() -> None:
    assert Counted.of("small", "easy", "pool", None, None) is None


def test_a_pool_that_reports_nonsense_takes_nothing_away() -> None:
    assert counted(usage=Usage(-5, -7)).amounts == Amounts()


def test_beyond_the_bound_new_names_are_added_up_as_the_rest() -> None:
    ledger = CostLedger(accounts_max=2)
    for decision in ("a", "b", "c", "d", "a"):
        ledger.add(counted(decision=decision))
    tokens = {account.name: amounts.prompt_tokens for account, amounts in ledger.sums.items()}
    assert tokens == {"a": 2_000_000, "b": 1_000_000, REST: 2_000_000}


def test_what_is_moved_out_is_counted_elsewhere() -> None:
    one, other = CostLedger(), CostLedger()
    one.add(counted())
    for _ in range(2):
        other.add_batch(one.move_out())
    assert not one.sums
    other.add(counted())
    (amounts,) = other.sums.values()
    assert amounts.own == pytest.approx(4.0)
