"""A request that is explained leaves nothing behind that a client's request, or an operator, could notice."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from router_extproc.dialects import find_dialect
from router_extproc.pipeline.decision import Decision, Forward, Replay
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.protocol.headers import Headers
from router_extproc.testing.client import PATH, Client, chat
from router_extproc.testing.router import SEMANTIC, FakeRouter, fake_router

QUESTION, REPHRASED = "What is a cat?", "What is a cat??"
KEY = "Bearer one"


async def explain(router: FakeRouter, prompt: str, *headers: tuple[str, str]) -> Decision:
    dialect = find_dialect("POST", PATH)
    assert dialect is not None
    named = Headers((("authorization", KEY), *headers))
    raw = RawRequest(dialect, named, json.dumps(chat(prompt)).encode())
    return await router.parts.pipeline.read_only().decide(raw)


async def stored(router: FakeRouter) -> Client:
    """A client whose first question is in the cache."""
    client = Client(router)
    await client.ask(chat(QUESTION), authorization=KEY)
    return client


async def test_a_rephrasing_that_was_explained_is_no_exact_hit_afterwards() -> None:
    router = fake_router()
    client = await stored(router)
    for _ in range(2):
        explained = await explain(router, REPHRASED)
        assert isinstance(explained, Replay)
        assert explained.cache.status == "hit-semantic"
    assert (await client.send(chat(REPHRASED), authorization=KEY)).cache == "hit-semantic"


async def test_an_explained_request_is_not_drawn_for_a_comparison() -> None:
    """Explained twice, it is explained in the same way: with what happens to most of its like."""
    router = fake_router(cache_policy=replace(SEMANTIC, shadow_rate=0.99), chance=lambda: 0.0)
    client = await stored(router)
    assert (await client.send(chat(REPHRASED), authorization=KEY)).cache == "bypass"
    explained = await explain(router, REPHRASED)
    assert isinstance(explained, Replay)


async def test_where_every_hit_is_compared_that_is_what_is_explained() -> None:
    router = fake_router(cache_policy=replace(SEMANTIC, shadow_rate=1.0))
    await stored(router)
    explained = await explain(router, REPHRASED)
    assert isinstance(explained, Forward)
    assert explained.explanation.cache_reason == "shadow"


@pytest.mark.parametrize(
    ("prompt", "cache"), [(QUESTION, "hit-exact"), (REPHRASED, "hit-semantic"), ("Which dog is it?", "miss")]
)
async def test_nothing_is_counted_learned_queued_or_waited_for(prompt: str, cache: str) -> None:
    router = fake_router()
    client = await stored(router)
    before = await everything(router)
    await explain(router, prompt)
    await explain(router, prompt, ("x-router-cache-feedback", "wrong"))
    assert await everything(router) == before
    assert (await client.send(chat(prompt), authorization=KEY)).cache == cache


async def everything(router: FakeRouter) -> object:
    """What the router knows, counts and has to do."""
    return (
        asdict(await router.cache.state()),
        router.savings.total,
        list(router.savings.most_valuable()),
        router.evidence.findings(),
        router.background.counts(),
        len(router.reports.decisions),
    )
