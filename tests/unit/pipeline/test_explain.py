"""A request explained whole: the ask, every rule and the costs beside the decision."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.pipeline.decision import Forward, Reject
from router_extproc.pipeline.explain import RequestExplained, explain_request
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.protocol.headers import Headers
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import chat
from router_extproc.testing.router import LARGE, SMALL, fake_router, send_to

pytestmark = pytest.mark.asyncio


async def explain(body: object) -> RequestExplained:
    decisions = (
        send_to(LARGE, name="maths", rule=read_rule({"maths": True})),
        send_to(SMALL, name="short", rule=read_rule({"maths": True})),
        send_to(SMALL, name="law", rule=read_rule({"law": True})),
    )
    signals = (KeywordsSignal("maths", ["solve"]), KeywordsSignal("law", ["sue"]))
    router = fake_router(signals=signals, decisions=decisions)
    raw = RawRequest(DIALECTS["openai_chat"], Headers(()), json.dumps(body).encode())
    return await explain_request(router.parts.pipeline, raw)


async def test_rules_behind_the_taken_one_are_shown_as_not_reached() -> None:
    whole = await explain(chat("solve it"))
    assert isinstance(whole.decision, Forward)
    assert [(rule.trace.decision, rule.trace.matched, rule.reached) for rule in whole.rules] == [
        ("maths", True, True),
        ("short", True, False),
        ("law", False, False),
    ]


async def test_the_ask_and_the_costs_are_shown() -> None:
    whole = await explain(chat("solve it"))
    assert whole.ask is not None
    assert whole.ask.text == "solve it"
    assert whole.costs is not None
    assert set(whole.costs) == {"small", "large"}
    assert whole.costs["small"] == pytest.approx((whole.prompt_tokens * 1.0 + 500 * 2.0) / 1e6)


async def test_a_pinned_request_asks_no_rule() -> None:
    assert (await explain(chat("solve it", model="small"))).rules == ()


async def test_a_pinned_request_shows_the_rules_that_it_is_asked() -> None:
    maths, law = (read_rule({name: True}) for name in ("maths", "law"))
    decisions = (
        replace(send_to(LARGE, name="maths", rule=maths), takes_pinned=True),
        send_to(SMALL, name="law", rule=law),
    )
    signals = (KeywordsSignal("maths", ["solve"]), KeywordsSignal("law", ["sue"]))
    pipeline = fake_router(signals=signals, decisions=decisions).parts.pipeline
    body = json.dumps(chat("solve it", model="small")).encode()
    whole = await explain_request(pipeline, RawRequest(DIALECTS["openai_chat"], Headers(()), body))
    assert [(rule.trace.decision, rule.reached) for rule in whole.rules] == [("maths", True)]


async def test_what_cannot_be_read_is_explained_by_its_error() -> None:
    whole = await explain({"model": "auto"})
    assert isinstance(whole.decision, Reject)
    assert (whole.ask, whole.rules) == (None, ())


async def test_the_candidates_are_shown_with_why_one_was_chosen() -> None:
    seeing = replace(LARGE, model="seeing", accepts=None)
    blind = replace(SMALL, accepts=frozenset())
    short = replace(LARGE, model="short", accepts=None, context_tokens=10)
    targets = tuple(Candidate(each) for each in (blind, short, seeing, LARGE))
    decision = RoutingDecision("maths", 1, read_rule({"maths": True}), targets, None)
    router = fake_router(signals=(KeywordsSignal("maths", ["solve"]),), decisions=(decision,))
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    words = {"type": "text", "text": "solve what is in this picture, step by step, with all that you know"}
    body = {"model": "auto", "messages": [{"role": "user", "content": [words, picture]}]}
    raw = RawRequest(DIALECTS["openai_chat"], Headers(()), json.dumps(body).encode())
    whole = await explain_request(router.parts.pipeline, raw)
    told = [(each.model, each.chosen, each.reason) for each in whole.models]
    assert told[0] == ("small", False, "does not accept image")
    assert told[1][:2] == ("short", False)
    assert told[1][2].startswith("reads 10 tokens, the request has about")
    assert told[2:] == [
        ("seeing", True, "the first that takes it"),
        ("large", False, "another one was chosen"),
    ]


async def test_one_candidate_is_the_only_one() -> None:
    [model] = (await explain(chat("solve it"))).models
    assert (model.model, model.chosen, model.reason) == ("large", True, "the only one that takes it")
