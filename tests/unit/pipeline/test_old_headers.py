"""Headers of vLLM Semantic Router beside ours, where they are asked for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.scope import SharedScope
from router_extproc.llm.changes import ReasoningChange, RequestChanges
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.protocol.names import METADATA_NAMESPACE
from router_extproc.routing.actions import AnswerText, Block
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import read_rule
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.client import Client, chat
from router_extproc.testing.router import LARGE, SEMANTIC, fake_router, send_to

pytestmark = pytest.mark.asyncio

RULE = read_rule({"domain": True})


def client(decision: RoutingDecision, *, on: bool = True) -> Client:
    """A client of a router with a signal `domain` that finds `law`."""
    return Client(
        fake_router(
            signals=(KeywordsSignal("domain", ["law"]),),
            decisions=(decision,),
            cache_policy=replace(SEMANTIC, scope=SharedScope()),
            old_headers=OldHeaders(("other", "domain")) if on else None,
        )
    )


def routed(reasoning: bool | None) -> RoutingDecision:  # noqa: FBT001 - as the field
    changes = None if reasoning is None else RequestChanges(reasoning=ReasoningChange(reasoning))
    return replace(send_to(LARGE, name="lawyers", rule=RULE), changes=changes)


@pytest.mark.parametrize(("reasoning", "told"), [(True, "on"), (False, "off"), (None, None)])
async def test_a_forwarded_request_tells_category_and_reasoning(
    *, reasoning: bool | None, told: str | None
) -> None:
    sent = await client(routed(reasoning)).send(chat("law, please"))
    metadata = sent.forwarded.dynamic_metadata[METADATA_NAMESPACE]
    assert metadata["old_category"] == "law"
    assert metadata.get("old_reasoning") == told
    assert sent.sent_header("x-selected-model") == "large"


async def test_a_hit_has_the_old_headers() -> None:
    one = client(routed(None))
    await one.ask(chat("law, please"))
    headers = dict((await one.send(chat("law, please"))).immediate.headers)
    assert headers["x-vsr-cache-hit"] == "true"
    assert headers["x-vsr-selected-model"] == "large"
    assert headers["x-vsr-selected-decision"] == "lawyers"


async def test_a_hidden_hit_does_not_say_that_it_is_one() -> None:
    policy = replace(SEMANTIC, scope=SharedScope(), hide_timing=True)
    one = Client(fake_router(cache_policy=policy, old_headers=OldHeaders(())))
    await one.ask(chat("What is a cat?"))
    headers = dict((await one.send(chat("What is a cat?"))).immediate.headers)
    assert "x-vsr-cache-hit" not in headers


async def test_a_fixed_answer_and_a_refusal_name_their_decision() -> None:
    answered = RoutingDecision("hours", 5, RULE, (), None, action=AnswerText("From 9 to 17."))
    headers = dict((await client(answered).send(chat("law"))).immediate.headers)
    assert headers["x-vsr-fast-response"] == "true"
    assert (headers["x-vsr-selected-decision"], headers["x-vsr-selected-category"]) == ("hours", "law")
    blocked = RoutingDecision("no", 5, RULE, (), None, action=Block("No."))
    headers = dict((await client(blocked).send(chat("law"))).immediate.headers)
    assert headers["x-vsr-selected-decision"] == "no"


async def test_without_the_option_there_is_none_of_them() -> None:
    one = client(routed(True), on=False)
    sent = await one.ask(chat("law, please"))
    assert not {"old_category", "old_reasoning"} & sent.forwarded.dynamic_metadata[METADATA_NAMESPACE].keys()
    assert "x-selected-model" not in dict(sent.forwarded.mutation.overwrite)
    hit = (await one.send(chat("law, please"))).immediate.headers
    assert not [name for name, _ in hit if name.startswith("x-vsr-")]
