"""Decisions that block a request or answer it with a fixed text: no pool is asked."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from router_extproc.errors import ModelError
from router_extproc.models.base import Encoding
from router_extproc.pipeline.decision import LocalAnswer, Reject
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.routing.actions import AnswerText, Block, LocalAction
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals.base import Reading, Subject
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import Client, chat
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import SMALL, fake_router

pytestmark = pytest.mark.asyncio


def client(action: LocalAction) -> Client:
    decision = RoutingDecision("special", 5, read_rule({"urgent": True}), (), None, action=action)
    return Client(fake_router(signals=(KeywordsSignal("urgent", ["bomb"]),), decisions=(decision,)))


def body_of(reply: object) -> dict[str, object]:
    assert isinstance(reply, ImmediateResponse)
    loaded = json.loads(reply.body)
    assert isinstance(loaded, dict)
    return loaded


async def test_a_blocked_request_gets_the_error_object_of_its_api() -> None:
    one = client(Block("Not here.", 451))
    sent = await one.send(chat("build a bomb"))
    assert isinstance(sent.to_body, ImmediateResponse)
    assert sent.to_body.status == 451
    error = body_of(sent.to_body)["error"]
    assert isinstance(error, dict)
    assert (error["message"], error["code"]) == ("Not here.", "request_blocked")
    assert dict(sent.to_body.headers)["x-router-decision"] == "special"


async def test_other_requests_pass() -> None:
    sent = await client(Block("Not here.")).send(chat("build a house"))
    assert sent.sent_header("x-router-model") == "small"


async def test_a_fixed_text_is_an_answer_of_the_api() -> None:
    sent = await client(AnswerText("From 9 to 17.")).send(chat("is a bomb open?"))
    assert isinstance(sent.to_body, ImmediateResponse)
    assert sent.to_body.status == 200
    choices = body_of(sent.to_body)["choices"]
    assert isinstance(choices, list)
    assert choices[0]["message"]["content"] == "From 9 to 17."


async def test_a_fixed_text_is_streamed_where_a_stream_was_asked_for() -> None:
    sent = await client(AnswerText("From 9 to 17.")).send(chat("is a bomb open?", stream=True))
    assert isinstance(sent.to_body, ImmediateResponse)
    assert dict(sent.to_body.headers)["content-type"].startswith("text/event-stream")
    assert sent.to_body.body.endswith(b"data: [DONE]\n\n")
    assert b"From 9 to 17." in sent.to_body.body


async def test_the_report_says_which_decision_acted_and_what_it_read() -> None:
    for action, kind in ((Block("No."), Reject), (AnswerText("Yes."), LocalAnswer)):
        one = client(action)
        await one.send(chat("build a bomb"))
        decision = one.router.reports.decisions[-1].decision
        assert isinstance(decision, kind)
        assert decision.explanation is not None
        assert decision.explanation.route is not None
        assert decision.explanation.route.decision == "special"
        assert [reading.name for reading in decision.explanation.readings] == ["urgent"]


async def test_what_other_rules_have_let_pass_is_not_replayed_past_a_block() -> None:
    """The key of an exact hit is known before the rules are asked."""
    one = client(Block("No."))
    asked = chat("build a house")
    await one.ask(asked)
    assert (await one.send(asked)).cache == "hit-exact"
    parts = one.router.parts
    reader = replace(parts.pipeline.reader, rules="others by now")
    always = RoutingDecision("closed", 9, ALWAYS, (), None, action=Block("No."))
    policy = Policy((always,), default=SMALL)
    changed = replace(parts, pipeline=replace(parts.pipeline, reader=reader, policy=policy))
    assert (await Client(replace(one.router, parts=changed)).send(asked)).immediate.status == 403


async def test_what_no_candidate_accepts_is_refused_in_the_words_of_the_api() -> None:
    blind = Candidate(replace(SMALL, accepts=frozenset(["text"])))
    decision = RoutingDecision("blind", 5, ALWAYS, (blind,), None)
    one = Client(fake_router(decisions=(decision,)))
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    asked = chat("what is this?") | {"messages": [{"role": "user", "content": [picture]}]}
    sent = await one.send(asked)
    assert sent.immediate.status == 422
    error = body_of(sent.to_body)["error"]
    assert isinstance(error, dict)
    assert error["message"] == "No model for this request accepts image."
    assert error["code"] == "unsupported_request"
    assert dict(sent.immediate.headers)["x-router-decision"] == "blind"
    assert (await one.send(chat("what is this?"))).sent_header("x-router-model") == "small"


class BrokenAtFirst(FakeEncoder):
    """Fails its first pass."""

    passes = 0

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        self.passes += 1
        if self.passes == 1:
            raise ModelError("encoder", "gone")
        return super().encode(text, tasks=tasks)


class EncodedBomb:
    """Finds a bomb in what was encoded."""

    name = "urgent"
    needs_encoding = True
    needs_tasks = False

    def read(self, subject: Subject) -> Reading:
        found = subject.encoding is not None and "bomb" in subject.request.prompt
        return Reading(self.name, "bomb" if found else None, float(found))


async def test_what_passed_because_it_could_not_be_read_is_not_replayed() -> None:
    """Else the answer would be an exact hit for an hour, before any rule is asked."""
    rule = read_rule({"urgent": True})
    decision = RoutingDecision("special", 5, rule, (), None, action=Block("Not here."))
    router = fake_router(signals=[EncodedBomb()], decisions=[decision], encoder=BrokenAtFirst())
    one = Client(router)
    unread = await one.ask(chat("build a bomb"))
    assert unread.sent_header("x-router-model") == "small"
    blocked = await one.send(chat("build a bomb"))
    assert isinstance(blocked.to_body, ImmediateResponse)
    assert blocked.to_body.status == 403
    await one.ask(chat("build a house"))
    assert (await one.send(chat("build a house"))).cache == "hit-exact"
