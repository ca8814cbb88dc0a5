"""The tokens of a message are counted by the model that would answer it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from router_extproc.cache.base import EVERYTHING
from router_extproc.llm.changes import (
    ParameterChanges,
    RequestChanges,
    SurroundSystemPrompt,
)
from router_extproc.protocol.headers import Headers
from router_extproc.routing.actions import AnswerText, Block, Redaction
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.selection.weighted import WeightedSelection
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import Client, Sent
from router_extproc.testing.router import LARGE, SMALL, fake_router, send_to

pytestmark = pytest.mark.asyncio

MESSAGES, COUNT = "/v1/messages", "/v1/messages/count_tokens"
URGENT = KeywordsSignal("urgent", ["urgent"])
WHEN = read_rule({"urgent": True})
NAMES = ("x-router-cluster", "x-router-model", "x-router-decision")


def message(text: str = "It is urgent.", model: str = "auto", **members: object) -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": text}], **members}


def place(sent: Sent) -> list[str]:
    return [sent.sent_header(name) for name in NAMES]


@pytest.mark.parametrize("text", ["It is urgent.", "It can wait."])
async def test_a_virtual_name_is_decided_as_the_message(text: str) -> None:
    client = Client(fake_router(signals=(URGENT,), decisions=(send_to(LARGE, name="urgent", rule=WHEN),)))
    counted = await client.send(message(text), path=COUNT)
    assert place(counted) == place(await client.send(message(text, max_tokens=9), path=MESSAGES))
    assert counted.sent_header("x-router-model") == ("large" if "urgent" in text else "small")
    assert counted.cache == "bypass"


async def test_a_share_of_the_conversations_is_counted_by_the_model_that_has_it() -> None:
    shared = RoutingDecision(
        "shared", 1, ALWAYS, (Candidate(SMALL), Candidate(LARGE)), None, selection=WeightedSelection()
    )
    client = Client(fake_router(decisions=(shared,)))
    models = set()
    for number in range(20):
        asked = message(f"Question {number}?")
        counted, sent = await client.send(asked, path=COUNT), await client.send(asked, path=MESSAGES)
        assert place(counted) == place(sent)
        models.add(sent.sent_header("x-router-model"))
    assert models == {"small", "large"}


async def test_a_count_begins_no_session() -> None:
    shared = RoutingDecision(
        "shared", 1, ALWAYS, (Candidate(SMALL), Candidate(LARGE)), None, selection=WeightedSelection()
    )
    router = fake_router(decisions=(shared,))
    client, remembered = Client(router), router.application.learned.sessions
    await client.send(message(), path=COUNT)
    assert len(remembered.known) == 0
    await client.send(message(), path=MESSAGES)
    assert len(remembered.known) == 1


async def test_a_named_model_counts_whatever_the_rules_say() -> None:
    client = Client(fake_router(signals=(URGENT,), decisions=(send_to(LARGE, name="urgent", rule=WHEN),)))
    assert place(await client.send(message(model="small"), path=COUNT)) == ["vllm_small", "small", "pinned"]


async def test_what_the_decision_adds_for_the_model_is_counted() -> None:
    changes = RequestChanges(
        SurroundSystemPrompt(before="Be brief."),
        ParameterChanges(set=(("temperature", b"0"),), default=(("max_tokens", b"99"),)),
    )
    decision = RoutingDecision("urgent", 1, WHEN, (Candidate(LARGE),), changes)
    client = Client(fake_router(signals=(URGENT,), decisions=(decision,)))
    sent = await client.send(message(), path=COUNT)
    assert json.loads(sent.forwarded.body or b"") == message(model="tiny-large", system="Be brief.")


async def test_a_refused_message_is_not_counted_by_a_pool() -> None:
    blocking = RoutingDecision("no", 1, WHEN, (), None, action=Block("Not here.", 451))
    client = Client(fake_router(signals=(URGENT,), decisions=(blocking,)))
    sent = await client.send(message(), path=COUNT)
    assert sent.immediate.status == 451
    assert json.loads(sent.immediate.body)["type"] == "error"


async def test_a_redacted_message_is_counted_without_its_facts() -> None:
    private = replace(send_to(LARGE, name="private", rule=ALWAYS), redaction=Redaction(("EMAIL_ADDRESS",)))
    sent = await Client(fake_router(decisions=(private,))).send(message("Ask jo@example.com"), path=COUNT)
    assert b"[EMAIL_ADDRESS_1]" in (sent.forwarded.body or b"")
    assert b"jo@" not in (sent.forwarded.body or b"")


async def test_a_message_that_no_pool_would_get_is_counted_by_the_default_model() -> None:
    fixed = RoutingDecision("hours", 1, WHEN, (), None, action=AnswerText("From nine to five."))
    client = Client(fake_router(signals=(URGENT,), decisions=(fixed,)))
    assert place(await client.send(message(), path=COUNT)) == ["vllm_small", "small", "default"]


@pytest.mark.parametrize(
    "body", [b"{", b'{"messages": []}', b'{"model": "auto"}', b'{"model": "auto", "messages": 7}']
)
async def test_what_cannot_be_read_is_the_pools_to_refuse(body: bytes) -> None:
    sent = await Client(fake_router()).send(body, path=COUNT)
    assert place(sent) == ["vllm_small", "small", "default"]


async def test_a_count_is_neither_stored_nor_taken_from_the_cache() -> None:
    client = Client(fake_router())
    for _ in range(2):
        sent = await client.send(message(), path=COUNT)
        assert sent.cache == "bypass"
        client.answer(sent, b'{"input_tokens": 12}')
    assert [entry async for entry in client.router.cache.entries(EVERYTHING)] == []
    (report, _) = client.router.reports.answers
    assert (report.dialect, report.model) == ("count_tokens", "small")


async def test_a_count_can_be_explained() -> None:
    router = fake_router(signals=(URGENT,), decisions=(send_to(LARGE, name="urgent", rule=WHEN),))
    whole = await router.application.explain_whole("POST", COUNT, Headers(()), json.dumps(message()).encode())
    assert whole is not None
    explanation = whole.decision.explanation
    assert explanation is not None
    assert (explanation.dialect, explanation.cache_reason) == ("count_tokens", "routed-only")


async def test_thinking_that_a_decision_switches_on_is_part_of_the_count() -> None:
    decision = send_to(LARGE, name="urgent", rule=WHEN, reasoning=True)
    client = Client(fake_router(signals=(URGENT,), decisions=(decision,)))
    counted = await client.send(message(), path=COUNT)
    asked = await client.send(message(), path=MESSAGES)
    assert counted.forwarded.body == asked.forwarded.body
