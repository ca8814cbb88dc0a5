"""Putting hits to the test, and what clients say of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

import pytest

from router_extproc.cache.base import EVERYTHING
from router_extproc.cache.false_hits.evidence import Finding, Sample
from router_extproc.cache.false_hits.threshold import LOOK_FIRST
from router_extproc.cache.scope import SharedScope
from router_extproc.pipeline.background import BackgroundTasks
from router_extproc.testing.client import Client, Sent, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import SEMANTIC, fake_router

PROMPT = "What are the main renewable energy sources?"
NEAR = "What are the main renewable energy sources now?"
SHADOWED = replace(SEMANTIC, shadow_rate=0.2)
BOUNDED = replace(SEMANTIC, shadow_rate=0.2, max_false_hit_rate=0.1)
ANSWER = "An animal."


def shadowed(chance: float = 0.1) -> Client:
    return Client(fake_router(cache_policy=SHADOWED, chance=lambda: chance))


async def tried(client: Client, answer: str = ANSWER, **how: int) -> Sent:
    """A semantic hit that is sent to the pool all the same, and compared."""
    sent = await client.send(chat(NEAR))
    client.answer(sent, answer_json(answer), **how)
    await client.router.background.finish()
    return sent


def found(client: Client) -> Finding:
    return client.router.evidence.findings()["default"]


# ── shadow_rate ───────────────────────────────────────────────────────────────────────────────


async def test_a_share_of_semantic_hits_goes_to_the_pool() -> None:
    for chance, cache in ((0.19, "bypass"), (0.2, "hit-semantic")):
        client = shadowed(chance)
        await client.ask(chat(PROMPT))
        assert (await client.send(chat(NEAR))).cache == cache


async def test_exact_hits_are_not_put_to_the_test() -> None:
    client = shadowed()
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(PROMPT))).cache == "hit-exact"


async def test_wordings_are_judged_anew_where_hits_are_put_to_the_test() -> None:
    """Noted as exact hits, they would never be tried, and a rising threshold would not reach them."""
    client = shadowed(chance=0.2)
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"


async def test_only_if_cached_is_not_put_to_the_test() -> None:
    client = shadowed()
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR), cache_control="only-if-cached")).cache == "hit-semantic"


@pytest.mark.parametrize(("answer", "wrong"), [(ANSWER, 0), ("Nobody can say.", 1)])
async def test_the_stored_answer_is_compared_with_the_fresh_one(answer: str, wrong: int) -> None:
    client = shadowed()
    await client.ask(chat(PROMPT))
    sent = await tried(client, answer)
    assert sent.cache == "bypass"
    assert found(client).latest == Sample(1, wrong)


async def test_the_fresh_answer_is_stored() -> None:
    client = shadowed()
    await client.ask(chat(PROMPT))
    await tried(client)
    assert (await client.send(chat(NEAR))).cache == "hit-exact"


async def test_an_answer_that_failed_says_nothing() -> None:
    client = shadowed()
    await client.ask(chat(PROMPT))
    await tried(client, status=500)
    assert found(client).latest == Sample(0, 0)


async def test_an_entry_that_is_gone_says_nothing() -> None:
    client = shadowed()
    await client.ask(chat(PROMPT))
    sent = await client.send(chat(NEAR))
    await client.router.cache.purge(EVERYTHING)
    client.answer(sent, answer_json())
    await client.router.background.finish()
    assert client.router.background.counts() == {"failed": 1}
    assert found(client).latest == Sample(0, 0)


# ── max_false_hit_rate ────────────────────────────────────────────────────────────────────────


async def test_with_a_bound_every_would_be_hit_is_tried_until_it_is_proven() -> None:
    client = Client(fake_router(cache_policy=BOUNDED, chance=lambda: 0.99))
    await client.ask(chat(PROMPT))
    for _ in range(LOOK_FIRST):
        sent = await client.send(chat(NEAR))
        client.answer(sent, answer_json(ANSWER), cache_control="no-store")
        await client.router.background.finish()
    assert found(client).latest == Sample(LOOK_FIRST, 0)
    assert (await client.send(chat(NEAR))).cache == "hit-semantic"


async def test_unproven_hits_are_told_as_misses() -> None:
    client = Client(fake_router(cache_policy=BOUNDED))
    await client.ask(chat(PROMPT))
    sent = await client.send(chat(NEAR))
    assert sent.cache == "miss"
    assert client.router.reports.decisions[-1].decision.explanation.cache_reason == "unproven"


async def test_unproven_hits_are_no_answer_to_only_if_cached() -> None:
    client = Client(fake_router(cache_policy=BOUNDED))
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(NEAR), cache_control="only-if-cached")).immediate.status == 504


# ── feedback ──────────────────────────────────────────────────────────────────────────────────

WRONG = {"x_router_cache_feedback": "wrong"}


async def test_a_complaint_goes_to_the_pool_and_removes_the_entry() -> None:
    client = Client(fake_router())
    await client.ask(chat(PROMPT))
    sent = await client.send(chat(NEAR), **WRONG)
    assert sent.cache == "bypass"
    assert "x-router-cache-feedback" in sent.forwarded.mutation.remove
    await client.router.background.finish()
    assert (await client.send(chat(PROMPT))).cache == "miss"
    assert found(client).feedback == {"client": 1}


async def test_a_complaint_about_an_exact_hit_says_nothing_of_the_verifier() -> None:
    client = Client(fake_router())
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(PROMPT), **WRONG)).cache == "bypass"
    await client.router.background.finish()
    assert (await client.send(chat(PROMPT))).cache == "miss"
    assert client.router.evidence.findings() == {}


async def test_the_answer_after_a_complaint_is_stored() -> None:
    client = Client(fake_router())
    await client.ask(chat(PROMPT))
    sent = await client.send(chat(NEAR), **WRONG)
    await client.router.background.finish()
    client.answer(sent, answer_json("Better."))
    assert (await client.send(chat(NEAR))).cache == "hit-exact"


async def test_a_complaint_without_a_hit_changes_nothing() -> None:
    client = Client(fake_router())
    await client.ask(chat(PROMPT))
    assert (await client.send(chat("Another?"), **WRONG)).cache == "miss"
    await client.router.background.finish()
    assert (await client.send(chat(PROMPT))).cache == "hit-exact"


async def test_a_client_complains_about_its_own_scope_only() -> None:
    client = Client(fake_router())
    await client.ask(chat(PROMPT), authorization="Bearer a")
    await client.send(chat(PROMPT), authorization="Bearer b", **WRONG)
    await client.router.background.finish()
    assert (await client.send(chat(PROMPT), authorization="Bearer a")).cache == "hit-exact"


@pytest.mark.parametrize(
    ("feedback", "cache"), [("own", "hit-exact"), ("off", "hit-exact"), ("all", "bypass")]
)
async def test_in_a_shared_scope_complaints_count_only_if_configured(
    feedback: Literal["own", "off", "all"], cache: str
) -> None:
    """Everybody could remove what all share."""
    client = Client(fake_router(cache_policy=replace(SEMANTIC, scope=SharedScope()), feedback=feedback))
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(PROMPT), **WRONG)).cache == cache


async def test_another_word_is_no_complaint() -> None:
    client = Client(fake_router())
    await client.ask(chat(PROMPT))
    assert (await client.send(chat(PROMPT), x_router_cache_feedback="right")).cache == "hit-exact"


# ── background tasks ────────────────────────────────────────────────────────────────────────────────────


async def test_work_beyond_the_bound_is_dropped_and_counted() -> None:
    background = BackgroundTasks(ManualClock(), tasks_max=1)

    async def done() -> bool:
        return True

    background.offer(done)
    background.offer(done)
    await background.finish()
    assert background.counts() == {"dropped": 1, "done": 1}


async def test_work_that_fails_does_not_stop_the_next() -> None:
    background = BackgroundTasks(ManualClock())

    async def fail() -> bool:
        raise ValueError

    async def done() -> bool:
        return True

    background.offer(fail)
    background.offer(done)
    await background.finish()
    assert background.counts() == {"failed": 1, "done": 1}
