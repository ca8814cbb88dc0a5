"""Answers that a pool may keep: never another's, and gone on from where they are."""

from __future__ import annotations

import json
from typing import Any  # JSON

import pytest

from router_extproc.llm.answer import Answer, AnswerFacts, Incomplete
from router_extproc.pipeline import answer_homes
from router_extproc.pipeline.answer_homes import AnswerHomes
from router_extproc.pipeline.caching.reuse import ReuseSettings
from router_extproc.protocol.messages import BodyReply
from router_extproc.testing.client import Client
from router_extproc.testing.router import LARGE, fake_router

PATH = "/v1/responses"
ASK = "What is a cat?"


def body(**members: Any) -> dict[str, Any]:
    return {"model": "auto", "input": ASK, **members}


def response(identity: str = "resp_1", **members: Any) -> bytes:
    part = {"type": "output_text", "text": "An animal.", "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    head = {"id": identity, "object": "response", "created_at": 1, "model": "m", "status": "completed"}
    return json.dumps({**head, "output": [message], **members}).encode()


async def asked(client: Client, *, answer: bytes = response(), **members: Any) -> str:
    """What the cache did; a request that reaches the pool gets this answer."""
    sent = await client.send(body(**members), path=PATH)
    if isinstance(sent.to_body, BodyReply):
        client.answer(sent, answer)
    return sent.cache


async def test_an_answer_that_nobody_keeps_is_reused() -> None:
    client = Client(fake_router())
    assert await asked(client, store=False) == "miss"
    assert await asked(client, store=False) == "hit-exact"


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, "kept-answer"),
        ({"store": True}, "kept-answer"),
        ({"store": False, "previous_response_id": "resp_0"}, "server-state"),
        ({"store": False, "conversation": "conv_0"}, "server-state"),
        ({"background": True}, "server-state"),
        ({"store": False, "tools": [{"type": "web_search"}]}, "server-tools"),
    ],
)
async def test_the_cache_has_no_answer_for_what_a_server_remembers_keeps_or_does(
    members: dict[str, Any], why: str
) -> None:
    """Not even where one to the same words is stored."""
    client = Client(fake_router())
    await asked(client, store=False)
    for _ in range(2):
        assert await asked(client, **members) == "bypass"
    explanation = client.router.reports.decisions[-1].decision.explanation
    assert explanation is not None
    assert explanation.cache_reason == why


async def test_an_operator_whose_pools_keep_nothing_may_reuse_all_answers() -> None:
    client = Client(fake_router(reuse=ReuseSettings(reuses_kept=True)))
    assert await asked(client) == "miss"
    assert await asked(client, store=True) == "hit-exact"
    assert await asked(client, previous_response_id="resp_1") == "bypass"


@pytest.mark.parametrize("status", ["completed", "incomplete"])
async def test_a_request_goes_on_where_the_answer_is(status: str) -> None:
    """Its own words would send it to another pool, which does not know the answer."""
    client = Client(fake_router())
    first = await client.send(body(model="large"), path=PATH)
    client.answer(first, response("resp_7", status=status))
    second = await client.send(body(previous_response_id="resp_7"), path=PATH)
    assert (second.sent_header("x-router-model"), second.sent_header("x-router-decision")) == (
        "large",
        "pinned",
    )
    assert b'"tiny-large"' in (second.forwarded.body or b"")


async def test_an_answer_that_is_not_known_is_gone_on_from_as_any_request() -> None:
    client = Client(fake_router())
    sent = await client.send(body(previous_response_id="resp_8"), path=PATH)
    assert sent.sent_header("x-router-model") == "small"


async def test_an_answer_of_a_model_that_is_gone_is_gone_on_from_as_any_request() -> None:
    client = Client(fake_router())
    client.router.parts.pipeline.reader.homes.learn([("resp_9", "retired")])
    sent = await client.send(body(previous_response_id="resp_9"), path=PATH)
    assert sent.sent_header("x-router-model") == "small"


async def test_a_client_that_names_a_model_has_its_way() -> None:
    client = Client(fake_router())
    client.answer(await client.send(body(model="large"), path=PATH), response("resp_7"))
    sent = await client.send(body(model="small", previous_response_id="resp_7"), path=PATH)
    assert sent.sent_header("x-router-model") == "small"


async def test_what_another_api_answers_is_kept_by_nobody() -> None:
    client = Client(fake_router())
    sent = await client.ask({"model": "large", "messages": [{"role": "user", "content": ASK}]})
    assert sent.sent_header("x-router-model") == LARGE.model
    assert client.router.parts.pipeline.reader.homes.model_of("chatcmpl-1") is None


def kept(identity: str) -> Answer:
    return Answer(AnswerFacts(identity, "m", (), is_kept=True), {})


def test_the_oldest_answers_are_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer_homes, "ANSWERS_MAX", 2)
    homes = AnswerHomes()
    for identity in ("a", "b", "a", "c", "x" * 200):
        homes.note(kept(identity), "small")
    homes.note(Incomplete("cut_off"), "small")
    assert [homes.model_of(identity) for identity in ("a", "b", "c")] == ["small", None, "small"]
