"""Hits that nothing tells from misses, where a decision asks for it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace

import pytest

from router_extproc.pipeline.caching.hit_timing import MISSES_MAX, HitTiming
from router_extproc.protocol.driver import DeferredReply
from router_extproc.protocol.events import BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import MoreTime
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import METADATA_NAMESPACE
from router_extproc.testing.client import PATH, Client, answer_json, chat
from router_extproc.testing.router import HOLD_MAX_S, SEMANTIC, fake_router

HIDDEN = replace(SEMANTIC, hide_timing=True)


@dataclass(slots=True)
class Pauses:
    """Waits for nothing, and remembers for how long."""

    taken: list[float] = field(default_factory=list)

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)


@pytest.fixture
def pauses() -> Pauses:
    return Pauses()


@pytest.fixture
def client(pauses: Pauses) -> Client:
    return Client(fake_router(cache_policy=HIDDEN, pause=pauses))


async def miss(client: Client, prompt: str, seconds: float) -> None:
    sent = await client.send(chat(prompt))
    client.router.clock.advance(seconds)
    client.answer(sent, answer_json())


async def test_a_hit_takes_as_long_as_a_miss(client: Client, pauses: Pauses) -> None:
    await miss(client, "One?", 0.7)
    await client.send(chat("One?"))
    assert pauses.taken == [pytest.approx(0.7)]


async def test_envoy_is_asked_for_that_time(client: Client) -> None:
    await miss(client, "One?", 0.7)
    driver = client.router.parts.drive(Role.DECIDE)
    pairs = Headers(((":method", "POST"), (":path", PATH), ("authorization", "Bearer test-client")))
    await driver.on_request_headers(RequestStarted(pairs, last=False))
    reply = await driver.on_request_body(BodyReceived(json.dumps(chat("One?")).encode(), last=True))
    assert isinstance(reply, DeferredReply)
    assert isinstance(reply.now, MoreTime)
    assert reply.now.timeout_s == pytest.approx(0.7 + 0.2)


async def test_no_hit_is_held_back_for_longer_than_it_may(client: Client, pauses: Pauses) -> None:
    await miss(client, "One?", 30.0)
    await client.send(chat("One?"))
    assert pauses.taken == [HOLD_MAX_S]


async def test_nothing_tells_a_hit_from_a_miss(client: Client) -> None:
    """No header, no date, no name of an answer that somebody else may know."""
    first = await client.send(chat())
    client.answer(first, answer_json())
    client.router.clock.advance(100)
    told = first.forwarded.dynamic_metadata[METADATA_NAMESPACE]
    assert set(told) == {"write_token"}
    hit = (await client.send(chat())).immediate
    assert {name for name, _ in hit.headers} == {"content-type", "x-router-model", "x-router-decision"}
    body, original = json.loads(hit.body), json.loads(answer_json())
    assert body["created"] == int(client.router.clock.wall_s())
    assert body["id"] != original["id"]
    assert body["choices"] == original["choices"]
    assert body["usage"] == original["usage"]


async def test_only_if_cached_learns_nothing(client: Client) -> None:
    await client.ask(chat())
    for prompt in ("What is a cat?", "Who has asked?"):
        sent = await client.send(chat(prompt), cache_control="only-if-cached")
        assert (sent.immediate.status, sent.cache) == (504, "miss")


async def test_other_decisions_hide_nothing(pauses: Pauses) -> None:
    client = Client(fake_router(pause=pauses))
    await miss(client, "One?", 0.7)
    assert (await client.send(chat("One?"))).cache == "hit-exact"
    assert pauses.taken == []


def test_times_are_drawn_from_the_recent_misses_of_the_model() -> None:
    hit_timing = HitTiming(max_s=9.0, chance=lambda: 0.999)
    for number in range(MISSES_MAX + 5):
        hit_timing.note("small", number / 100, streamed=False)
    hit_timing.note("small", 5.0, streamed=True)
    hit_timing.note("large", 8.0, streamed=False)
    assert hit_timing.delay_s("small", 0.25, streamed=False) == pytest.approx((MISSES_MAX + 4) / 100 - 0.25)
    assert hit_timing.delay_s("small", 0.0, streamed=True) == 5.0
    assert hit_timing.delay_s("small", 9.0, streamed=False) == 0.0


def test_while_no_miss_is_known_a_hit_takes_as_long_as_it_may() -> None:
    assert HitTiming(max_s=2.0, chance=lambda: 0.0).delay_s("small", 0.5, streamed=False) == 1.5
