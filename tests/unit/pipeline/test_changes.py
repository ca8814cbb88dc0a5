"""What decisions change on the way to the pool, and which of them take requests for a named model."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any  # JSON trees

import pytest

from router_extproc.cache.base import EVERYTHING
from router_extproc.cache.decision_policy import CachePolicy
from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.errors import UnsupportedRequest
from router_extproc.llm.answer import JsonObject
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    RequestChanges,
    SurroundSystemPrompt,
)
from router_extproc.models.base import Encoding
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.routing.actions import AnswerText, Block
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import ALWAYS, read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals.base import Reading, Subject
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import PATH, Client, chat
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import LARGE, SEMANTIC, SMALL, fake_router

BRIEF = RequestChanges(SurroundSystemPrompt(before="Be brief."))
URGENT = KeywordsSignal("urgent", ["bomb"])
IF_URGENT = read_rule({"urgent": True})


def changing(changes: RequestChanges, *, pinned: bool = False, name: str = "all") -> RoutingDecision:
    return RoutingDecision(name, 1, ALWAYS, (Candidate(LARGE),), changes, takes_pinned=pinned)


def body_of(sent: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(sent.forwarded.body)
    return found


# ── what reaches the pool ─────────────────────────────────────────────────────────────────────


async def test_the_pool_gets_what_the_decision_says() -> None:
    changes = RequestChanges(
        SurroundSystemPrompt(before="Be brief."),
        ParameterChanges(set=(("temperature", b"0"),), max=(("n", 1),)),
        ReasoningChange(on=False),
        (("x-team", "research"),),
    )
    sent = await Client(fake_router(decisions=[changing(changes)])).send(chat("Hello", n=3))
    body = body_of(sent)
    assert body["messages"][0] == {"role": "system", "content": "Be brief."}
    assert (body["temperature"], body["n"], body["model"]) == (0, 1, "tiny-large")
    assert body["chat_template_kwargs"] == {"enable_thinking": False}
    assert sent.sent_header("x-team") == "research"
    assert sent.sent_header("x-router-decision") == "all"


async def test_other_decisions_change_nothing_but_the_model() -> None:
    decision = replace(changing(BRIEF), rule=IF_URGENT)
    raw = json.dumps(chat("Hello"), indent=3).encode()
    sent = await Client(fake_router(decisions=[decision], signals=[URGENT])).send(raw)
    assert sent.forwarded.body == raw.replace(b'"auto"', b'"tiny-small"')


async def test_a_fallback_is_told_to_reason_in_the_way_of_its_own_family() -> None:
    changes = RequestChanges(reasoning=ReasoningChange(on=True))
    decision = replace(changing(changes), candidates=(Candidate(SMALL),))
    one = Client(fake_router(decisions=[decision], fallbacks={"small": "large"}))
    assert "chat_template_kwargs" not in body_of(await one.send(chat("Hello")))
    one.router.traffic.heard("vllm_small", "no_healthy_upstream")
    assert body_of(await one.send(chat("Hello")))["chat_template_kwargs"] == {"enable_thinking": True}


# ── what the cache tells apart ────────────────────────────────────────────────────────────────

ASKED = chat("What are the benefits of walking?")
OTHERS = [
    RequestChanges(SurroundSystemPrompt(before="Be long.")),
    RequestChanges(SurroundSystemPrompt(after="Be brief.")),
    replace(BRIEF, parameters=ParameterChanges(set=(("temperature", b"0"),))),
    replace(BRIEF, parameters=ParameterChanges(default=(("temperature", b"0"),))),
    replace(BRIEF, parameters=ParameterChanges(removed=("logprobs",))),
    replace(BRIEF, reasoning=ReasoningChange(on=True)),
    replace(BRIEF, headers=(("x-team", "research"),)),
]


async def carried_over(before: Sequence[RoutingDecision], after: Sequence[RoutingDecision]) -> str:
    """What the cache says of a request whose answer was stored under other decisions of the same names."""
    old = Client(fake_router(decisions=before))
    await old.ask(ASKED)
    kept = [entry async for entry in old.router.cache.entries(EVERYTHING)]
    assert kept
    new = Client(fake_router(decisions=after))
    await new.router.cache.keep(kept)
    return (await new.send(ASKED)).cache


@pytest.mark.parametrize("other", OTHERS)
async def test_answers_to_a_request_that_was_changed_otherwise_are_not_replayed(
    other: RequestChanges,
) -> None:
    assert await carried_over([changing(BRIEF)], [changing(other)]) == "miss"
    assert await carried_over([changing(other)], [changing(BRIEF)]) == "miss"


async def test_answers_to_a_request_changed_alike_are_replayed() -> None:
    assert await carried_over([changing(BRIEF)], [changing(BRIEF)]) == "hit-exact"


# ── requests for a named model ────────────────────────────────────────────────────────────────


class EncodedSignal:
    """Needs the encoder, and counts how often it is read."""

    needs_encoding = True
    needs_tasks = False

    def __init__(self, name: str) -> None:
        self.name = name
        self.reads = 0

    def read(self, subject: Subject) -> Reading:
        self.reads += 1
        found = "attack" in subject.request.prompt
        return Reading(self.name, "injection" if found else None, 1.0 if found else 0.0)


class CountingEncoder(FakeEncoder):
    """Counts its passes."""

    passes = 0

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        self.passes += 1
        return super().encode(text, tasks=tasks)


def blocking(*, pinned: bool = True) -> RoutingDecision:
    rule = read_rule({"guard": True})
    return RoutingDecision("attack", 9, rule, (), None, action=Block("No."), takes_pinned=pinned)


def elsewhere() -> RoutingDecision:
    return RoutingDecision("topic", 1, read_rule({"domain": True}), (Candidate(LARGE),), None)


async def test_naming_a_model_is_no_way_around_a_block() -> None:
    guard = EncodedSignal("guard")
    one = Client(fake_router(signals=[guard], decisions=[blocking()], cached=False))
    assert (await one.send(chat("an attack", model="small"))).immediate.status == 403
    sent = await one.send(chat("a walk", model="small"))
    assert (sent.sent_header("x-router-model"), sent.sent_header("x-router-decision")) == ("small", "pinned")


async def test_only_signals_of_decisions_that_take_it_are_read_for_a_named_model() -> None:
    guard, domain = EncodedSignal("guard"), EncodedSignal("domain")
    one = Client(fake_router(signals=[guard, domain], decisions=[blocking(), elsewhere()], cached=False))
    await one.send(chat("a walk", model="small"))
    assert (guard.reads, domain.reads) == (1, 0)


async def test_a_named_model_without_such_a_decision_costs_no_encoder_pass() -> None:
    for decisions in ([elsewhere()], [blocking(pinned=False), elsewhere()]):
        encoder = CountingEncoder()
        signals = [EncodedSignal("guard"), EncodedSignal("domain")]
        one = Client(fake_router(signals=signals, decisions=decisions, cached=False, encoder=encoder))
        await one.send(chat("an attack", model="small"))
        assert encoder.passes == 0


async def test_a_named_model_is_kept_by_a_decision_that_changes_the_request() -> None:
    one = Client(fake_router(decisions=[changing(BRIEF, pinned=True)]))
    sent = await one.ask(chat("Hello", model="small"))
    assert (sent.sent_header("x-router-model"), sent.sent_header("x-router-decision")) == ("small", "all")
    assert body_of(sent)["messages"][0]["content"] == "Be brief."
    assert (await one.send(chat("Hello", model="small"))).cache == "hit-exact"
    assert (await one.send(chat("Hello", model="large"))).cache == "miss"


async def test_a_named_model_follows_the_cache_policy_of_its_decision() -> None:
    off = CachePolicy("off", 0.8, 3600, store_tool_calls=False)
    decisions = [changing(BRIEF, pinned=True)]
    one = Client(fake_router(decisions=decisions, own_cache_policies={"all": off}))
    assert (await one.ask(chat("Hello", model="small"))).cache == "bypass"
    exact = CachePolicy("exact", 0.8, 3600, store_tool_calls=False)
    two = Client(fake_router(decisions=decisions, cache_policy=exact, own_cache_policies={"all": SEMANTIC}))
    await two.ask(chat("What is a cat?", model="small"))
    assert (await two.send(chat("What is a cat ?", model="small"))).cache == "hit-semantic"


async def test_an_answer_from_before_a_decision_took_named_models_is_not_replayed_past_it() -> None:
    asked = chat("What are the benefits of walking?", model="small")
    old = Client(fake_router())
    await old.ask(asked)
    kept = [entry async for entry in old.router.cache.entries(EVERYTHING)]
    new = fake_router(decisions=[changing(BRIEF, pinned=True)])
    await new.cache.keep(kept)
    reader = replace(new.parts.pipeline.reader, rules="a digest of other rules")
    parts = replace(new.parts, pipeline=replace(new.parts.pipeline, reader=reader))
    assert (await Client(replace(new, parts=parts)).send(asked)).cache == "miss"


async def test_a_fixed_answer_is_given_for_a_named_model_only_when_asked_for() -> None:
    for pinned in (False, True):
        answer = RoutingDecision("a", 1, ALWAYS, (), None, action=AnswerText("Hi."), takes_pinned=pinned)
        sent = await Client(fake_router(decisions=[answer])).send(chat("Hello", model="small"))
        assert isinstance(sent.to_body, ImmediateResponse) == pinned


# ── an API that cannot say it, and what is explained ──────────────────────────────────────────


class Embeddings(OpenAIChat):
    """An API whose answers are no text."""

    def compose(self, text: str, *, model: str, now_s: float) -> JsonObject:  # noqa: ARG002 - the port
        raise UnsupportedRequest("This endpoint cannot answer with a text.")


async def decided(router: Any, dialect: OpenAIChat) -> Any:
    raw = RawRequest(dialect, Headers(((":path", PATH),)), json.dumps(chat("Hello", n=3)).encode())
    return await router.parts.pipeline.decide(raw)


async def test_an_api_that_cannot_say_a_fixed_text_says_so() -> None:
    answer = RoutingDecision("a", 1, ALWAYS, (), None, action=AnswerText("Hi."))
    reject = await decided(fake_router(decisions=[answer]), Embeddings())
    assert (reject.error.status, reject.error.code) == (422, "unsupported_request")
    assert reject.headers == {"x-router-decision": "a"}
    assert reject.explanation is not None


async def test_a_decision_tells_what_it_changes_without_the_clients_words() -> None:
    changes = replace(BRIEF, parameters=ParameterChanges(max=(("n", 1),)))
    router = fake_router(decisions=[changing(changes)])
    served = await decided(router, OpenAIChat())
    raw = RawRequest(OpenAIChat(), Headers(((":path", PATH),)), json.dumps(chat("Hello", n=3)).encode())
    forward = await router.parts.pipeline.read_only().decide(raw)
    assert isinstance(forward, Forward)
    # Nobody reads it of a request that is served.
    assert (served.edits, served.body) == ((), forward.body)
    assert [(edit.path, edit.change, edit.before) for edit in forward.edits] == [
        ("model", "set", "string"),
        ("messages", "prepend", "list"),
        ("n", "cap", "number"),
    ]
    assert "Hello" not in repr(forward.edits)
    assert SMALL.model not in repr(forward.edits)


# ── APIs that have no place for a change ──────────────────────────────────────────────────────


async def test_a_change_that_an_api_has_no_place_for_is_told() -> None:
    """Nothing that an operator wrote is left out in silence."""
    changes = RequestChanges(
        SurroundSystemPrompt(before="Be brief."),
        ParameterChanges(set=(("temperature", b"0"),)),
        ReasoningChange(on=False),
    )
    client = Client(fake_router(decisions=[changing(changes)]))
    sent = await client.send({"model": "auto", "prompt": "Once"}, path="/v1/completions")
    assert body_of(sent) == {"model": "tiny-large", "prompt": "Once", "temperature": 0}
    told = client.router.reports.decisions[-1].decision.explanation
    assert told is not None
    assert told.not_made == ("system_prompt", "reasoning")


async def test_a_change_that_is_made_is_not_told_as_left_out() -> None:
    client = Client(fake_router(decisions=[changing(BRIEF)]))
    await client.send(chat("Once"))
    told = client.router.reports.decisions[-1].decision.explanation
    assert told is not None
    assert told.not_made == ()
