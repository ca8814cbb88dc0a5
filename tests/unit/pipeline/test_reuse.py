"""Requests whose answer is for them alone, as a client sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.pipeline.caching.reuse import ReuseFor, ReuseRules, ReuseSettings
from router_extproc.pipeline.decision import Forward
from router_extproc.routing.rules import read_rule
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.signals.sampling import SamplingSignal
from router_extproc.testing.client import Client, chat
from router_extproc.testing.router import SEMANTIC, fake_router

NOW = "What is the price of silver right now?"
ONLY_NOW = [
    "What's the date today?",
    "what time is it now",
    "What is the current price of silver?",
    "Is the mail server down?",
    "How many unread emails do I have?",
]
RULE = read_rule({"any": [{"another": True}, {"sampled": True}]})


def volatile(ttl_s: float | None = 0.0, **options: object) -> Client:
    return Client(fake_router(reuse=ReuseSettings(ttl_s), **options))  # type: ignore[arg-type] # a test's options


def with_rule() -> Client:
    another = KeywordsSignal("another", ["flip a coin", "another one"])
    sampled = SamplingSignal("sampled", temperature_min=1.0, without_seed=True)
    return Client(fake_router(signals=[another, sampled], reuse=ReuseSettings(bypass_when=RULE)))


def last_forward(client: Client) -> Forward:
    decision = client.router.reports.decisions[-1].decision
    assert isinstance(decision, Forward)
    return decision


@pytest.mark.parametrize("prompt", ONLY_NOW)
async def test_what_is_true_only_now_is_never_reused(prompt: str) -> None:
    client = volatile()
    await client.ask(chat(prompt))
    assert (await client.send(chat(prompt))).cache == "bypass"
    forward = last_forward(client)
    assert forward.cache.cache_status == 'router-extproc; fwd=bypass; detail="volatile"'
    assert forward.explanation.cache_reason == "volatile"
    assert forward.write_token.plan is None


async def test_what_is_true_only_now_needs_no_encoder() -> None:
    client = volatile()
    await client.send(chat(NOW, model="small"))
    assert last_forward(client).explanation.stages == ()


async def test_with_seconds_it_is_reused_that_long() -> None:
    client = volatile(30.0)
    await client.ask(chat(NOW))
    client.router.clock.advance(29)
    hit = await client.send(chat(NOW))
    assert hit.cache == "hit-exact"
    assert "ttl=1;" in dict(hit.immediate.headers)["cache-status"]
    assert (await client.send(chat("What is the price of silver just now?"))).cache == "hit-semantic"
    client.router.clock.advance(1)
    assert (await client.send(chat(NOW))).cache == "miss"


async def test_what_was_stored_for_longer_is_too_old_after_these_seconds() -> None:
    """A neighbour that was not seen to be volatile is stored for the usual time."""
    client, timeless = volatile(30.0), "Which ferries cross the wide bay of Lisbon?"
    await client.ask(chat(timeless))
    client.router.clock.advance(29)
    near = chat("Which ferries cross the wide bay of Lisbon now?")
    assert (await client.send(near)).cache == "hit-semantic"
    client.router.clock.advance(2)
    assert (await client.send(chat("Which ferries cross the wide bay of Lisbon right now?"))).cache == "miss"
    assert (await client.send(chat(timeless))).cache == "hit-exact"


def reconfigured(client: Client, settings: ReuseSettings) -> Client:
    """The same router with the same entries, under another rule."""
    parts = client.router.parts
    reader = replace(parts.pipeline.reader, reuse_rules=ReuseRules(settings))
    parts = replace(parts, pipeline=replace(parts.pipeline, reader=reader))
    return Client(replace(client.router, parts=parts))


@pytest.mark.parametrize(
    ("ttl_s", "at_once", "later"), [(0.0, "bypass", "bypass"), (30.0, "hit-exact", "miss")]
)
async def test_an_entry_from_before_the_rule_is_replayed_for_its_seconds_only(
    ttl_s: float, at_once: str, later: str
) -> None:
    before = volatile(None)
    await before.ask(chat(NOW))
    client = reconfigured(before, ReuseSettings(ttl_s))
    assert (await client.send(chat(NOW))).cache == at_once
    client.router.clock.advance(31)
    assert (await client.send(chat(NOW))).cache == later
    assert (await before.send(chat(NOW))).cache == "hit-exact"


async def test_a_decision_may_be_stricter() -> None:
    client = volatile(30.0, cache_policy=replace(SEMANTIC, ttl_s=5.0))
    await client.ask(chat(NOW))
    client.router.clock.advance(6)
    assert (await client.send(chat(NOW))).cache == "miss"


async def test_turned_off_it_is_reused_as_any_other() -> None:
    client = volatile(None)
    await client.ask(chat(NOW))
    assert (await client.send(chat(NOW))).cache == "hit-exact"


async def test_what_stays_true_is_reused() -> None:
    client = volatile()
    await client.ask(chat("What is the price of anarchy?"))
    assert (await client.send(chat("What is the price of anarchy?"))).cache == "hit-exact"


ANOTHER = [chat("Flip a coin."), chat("Another one, please."), chat("Name a river.", temperature=1)]


@pytest.mark.parametrize("asked", ANOTHER)
async def test_a_request_for_another_answer_is_not_answered_with_an_old_one(asked: dict[str, object]) -> None:
    client = with_rule()
    await client.ask(asked)
    assert (await client.send(asked)).cache == "bypass"
    forward = last_forward(client)
    assert forward.explanation.cache_reason == "bypass-when"
    assert forward.route.decision == "default"


async def test_equal_requests_for_samples_do_not_wait_for_each_other() -> None:
    client = with_rule()
    for _ in range(3):
        assert (await client.send(chat("Name a river.", temperature=1.2))).forwarded
        assert last_forward(client).coalescing is None


@pytest.mark.parametrize("members", [{"temperature": 0.2}, {"temperature": 1, "seed": 7}, {}])
async def test_other_requests_are_reused(members: dict[str, object]) -> None:
    client = with_rule()
    await client.ask(chat("Name a river.", **members))
    assert (await client.send(chat("Name a river.", **members))).cache == "hit-exact"


@pytest.mark.parametrize(("asked_s", "limit_s"), [(None, 29), (10, 10), (60, 29)])
def test_the_smaller_age_counts(asked_s: int | None, limit_s: int) -> None:
    assert ReuseFor(30.0).age_limit_s(asked_s) == limit_s
