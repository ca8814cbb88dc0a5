"""Warming: a known answer becomes the entry that a client's own request would have left."""

from __future__ import annotations

import json

import pytest

from router_extproc.cache.base import Entry
from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.dialects import DIALECTS
from router_extproc.pipeline.caching.warming import KnownAnswer, Unfit, Warmer
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import fake_router

KEY = (("authorization", "Bearer one"),)


@pytest.fixture
def client() -> Client:
    return Client(fake_router())


def warmer(client: Client) -> Warmer:
    parts = client.router.parts
    return Warmer(parts.pipeline, DIALECTS["openai_chat"], parts.clock, 2**20)


def known(body: object = None, answer: bytes | None = None, decision: str | None = None) -> KnownAnswer:
    request = json.dumps(chat() if body is None else body).encode()
    return KnownAnswer(KEY, request, answer or answer_json(), decision)


async def warm(client: Client, answer: KnownAnswer) -> str:
    """Keep the entry; the problem if there is none."""
    made = await warmer(client).entry_of(answer)
    if isinstance(made, Unfit):
        return made.problem
    await client.router.cache.keep([made])
    return ""


async def test_client_who_asks_the_same_has_an_exact_hit(client: Client) -> None:
    assert await warm(client, known()) == ""
    sent = await client.send(chat(), authorization="Bearer one")
    assert sent.cache == "hit-exact"
    assert b"An animal." in sent.immediate.body


async def test_client_who_asks_alike_has_a_semantic_hit(client: Client) -> None:
    await warm(client, known(chat("What is a small cat called?")))
    sent = await client.send(chat("what is a small cat called"), authorization="Bearer one")
    assert sent.cache == "hit-semantic"


async def test_another_client_has_none(client: Client) -> None:
    await warm(client, known())
    assert (await client.send(chat(), authorization="Bearer two")).cache == "miss"


async def test_warming_leaves_no_report(client: Client) -> None:
    """It is nobody's request: metrics do not count it."""
    await warm(client, known())
    assert (client.router.reports.decisions, client.router.reports.answers) == ([], [])


async def test_newer_answer_takes_the_place_of_the_stored_one(client: Client) -> None:
    await warm(client, known())
    await warm(client, known(answer=answer_json("Another.")))
    assert b"Another." in (await client.send(chat(), authorization="Bearer one")).immediate.body


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (known({"model": "auto"}), "messages"),
        (known(chat(model="nobody")), "model does not exist"),
        (known(decision="maths"), "the router decides 'default' for this question"),
        (known(answer=answer_json(finish_reason="length")), "not to be stored: length"),
        (known(answer=b"{"), "not to be stored: "),
    ],
)
async def test_unfit_answer_makes_no_entry(client: Client, answer: KnownAnswer, problem: str) -> None:
    assert problem in await warm(client, answer)


async def test_expected_decision_is_taken(client: Client) -> None:
    assert isinstance(await warmer(client).entry_of(known(decision="default")), Entry)


async def test_decision_that_does_not_cache_makes_no_entry() -> None:
    off = CachePolicy("off", 0.8, 3600, store_tool_calls=False)
    assert "not to be stored" in await warm(Client(fake_router(cache_policy=off)), known())


async def test_question_that_could_not_be_encoded_makes_no_entry() -> None:
    """An entry without its vector would be found by nobody who asks alike."""

    class Broken:
        dim, identity = 8, "broken"

        def encode(self, _text: str, **_: bool) -> object:
            raise RuntimeError

    broken = Client(fake_router(encoder=Broken()))  # type: ignore[arg-type] # it fails before that matters
    assert await warm(broken, known()) == "the encoder is busy, try again"
