"""What hits have saved."""

from __future__ import annotations

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price
from router_extproc.pipeline.caching.savings import EntryWorth, Prices, Savings, Worth
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import fake_router

PRICES = Prices({"small": Price(1.0, 2.0)})
HIT = Worth(hits=1, prompt_tokens=4, completion_tokens=3, cost=10 / 1e6)


def test_a_hit_saves_what_the_answer_cost() -> None:
    assert PRICES.worth("small", Usage(4, 3)) == HIT


def test_an_answer_without_usage_saves_nothing_that_is_known() -> None:
    assert PRICES.worth("small", None) == Worth(hits=1, unmeasured_hits=1)


def test_a_model_that_is_gone_costs_nothing() -> None:
    assert PRICES.worth("gone", Usage(4, 3)).cost == 0.0


def test_the_most_valuable_entry_comes_first() -> None:
    savings = Savings()
    for name, cost in (("a", 1.0), ("b", 3.0), ("a", 1.5)):
        savings.add(EntryWorth(name, "small", "default", Worth(hits=1, cost=cost)))
    assert [(each.fingerprint, each.worth.hits) for each in savings.most_valuable()] == [("b", 1), ("a", 2)]
    assert savings.total == Worth(hits=3, cost=5.5)


def test_remembered_entries_are_bounded_and_the_total_stays() -> None:
    savings = Savings(entries_max=2)
    for name in ("a", "b", "a", "c"):
        savings.add(EntryWorth(name, "small", "default", Worth(hits=1)))
    assert {each.fingerprint for each in savings.most_valuable()} == {"a", "c"}
    assert savings.total.hits == 4


async def test_hits_of_clients_are_added_up() -> None:
    client = Client(fake_router())
    await client.ask(chat())
    await client.send(chat())
    await client.send(chat())
    assert client.router.savings.total == HIT + HIT


async def test_what_operators_ask_saves_nothing() -> None:
    """`explain` decides as for a client, but nobody is answered."""
    client = Client(fake_router())
    sent = await client.send(chat())
    client.answer(sent, answer_json())
    assert client.router.savings.total == Worth()
