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
from router_extproc.routing.rules import read_rule
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
