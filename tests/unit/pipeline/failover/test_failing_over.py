"""A request that is forwarded with a plan, and the stream that carries the plan out for another pool."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from router_extproc.llm.changes import ReasoningChange, RequestChanges
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules
from router_extproc.pipeline.failover.plan import FailoverPlan
from router_extproc.pipeline.old_headers import OldHeaders
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.events import (
    AnswerChunk,
    AnswerStarted,
    BodyReceived,
    BodyTooLarge,
    Origin,
    RequestStarted,
)
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import FAILOVER_KEY, METADATA_NAMESPACE, TOKEN_KEY
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import Failovers
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.testing.client import PATH, Client, Sent, answer_json, chat
from router_extproc.testing.router import LARGE, SMALL, FakeRouter, fake_router

CHANGES = RequestChanges(reasoning=ReasoningChange(on=True))
DECISION = RoutingDecision("thinks", 1, ALWAYS, (Candidate(LARGE), Candidate(SMALL)), CHANGES)
FAILOVERS = Failovers({("thinks", "large"): (SMALL,), ("thinks", "small"): (LARGE,)}, 2)


def router(**more: Any) -> FakeRouter:
    return fake_router(decisions=[DECISION], failovers=FAILOVERS, **more)


@pytest.fixture
def client() -> Client:
    return Client(router())


def metadata(sent: Sent) -> dict[str, str]:
    return dict(sent.forwarded.dynamic_metadata[METADATA_NAMESPACE])


async def retried(
    client: Client, told: dict[str, str], body: bytes, *, cluster: str = "vllm_small", path: str = PATH
) -> HeadersReply | BodyReply | ImmediateResponse:
    """What the pool of this cluster gets, after the large one has failed."""
    driver = client.router.parts.drive(Role.RETRY)
    pairs = ((":method", "POST"), (":path", path), ("x-router-cluster", cluster), ("x-router-model", "large"))
    started = RequestStarted(Headers(pairs), last=False, metadata={METADATA_NAMESPACE: told})
    reply = await driver.on_request_headers(started)
    if isinstance(reply, ImmediateResponse):
        return reply
    last = await driver.on_request_body(BodyReceived(body, last=True))
    driver.on_closed(clean=True)
    assert isinstance(last, BodyReply | ImmediateResponse)
    return last


async def test_a_request_says_who_may_be_asked_next(client: Client) -> None:
    sent = await client.send(chat())
    assert sent.sent_header("x-router-cluster") == "vllm_large"
    assert sent.sent_header("x-router-failover") == "vllm_large>vllm_small"


async def test_a_request_that_nobody_else_may_answer_says_nothing() -> None:
    sent = await Client(fake_router(decisions=[DECISION])).send(chat())
    assert "x-router-failover" not in dict(sent.forwarded.mutation.overwrite)
    assert FAILOVER_KEY not in metadata(sent)


async def test_the_next_pool_gets_the_body_that_it_would_have_got_as_the_first(client: Client) -> None:
    sent = await client.send(chat("What is red?"))
    reply = await retried(client, metadata(sent), sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    assert reply.body is not None
    own = Client(fake_router(decisions=[replace(DECISION, candidates=(Candidate(SMALL),))]))
    assert reply.body == (await own.send(chat("What is red?"))).forwarded.body
    assert json.loads(reply.body)["model"] == "tiny-small"
    assert dict(reply.mutation.overwrite) == {"x-router-model": "small"}


async def test_the_old_routers_header_names_the_model_too() -> None:
    client = Client(router(old_headers=OldHeaders(())))
    sent = await client.send(chat())
    reply = await retried(client, metadata(sent), sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    assert dict(reply.mutation.overwrite) == {"x-router-model": "small", "x-selected-model": "small"}


async def test_the_answer_is_stored_as_that_of_a_model_that_stands_in(client: Client) -> None:
    """While the pool is down it is a hit; the model that was meant never answers with it."""
    sent = await client.send(chat())
    told = metadata(sent)
    reply = await retried(client, told, sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    told |= reply.dynamic_metadata[METADATA_NAMESPACE]
    token = WriteToken.decode(told[TOKEN_KEY])
    assert token.failover is not None
    assert (token.model, token.failover.first) == ("small", "large")
    answer(client, told, cluster="vllm_large>vllm_small")
    (report,) = client.router.reports.answers
    assert (report.model, report.failover_of, report.stored) == ("small", "large", "stored")
    assert (await client.send(chat())).cache == "miss"
    for _ in range(3):
        client.router.traffic.failed("vllm_large")
    assert (await client.send(chat())).cache == "hit-exact"


async def test_the_answer_of_the_next_model_is_compared_with_no_other() -> None:
    """It might be asked to compare with itself, and the request would be made three times."""
    client = Client(router(evaluation=EvaluationRules(EvaluationRule("", SMALL, 1.0, 9))))
    sent = await client.send(chat())
    told = metadata(sent)
    assert WriteToken.decode(told[TOKEN_KEY]).evaluation is not None
    reply = await retried(client, told, sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    told |= reply.dynamic_metadata[METADATA_NAMESPACE]
    assert WriteToken.decode(told[TOKEN_KEY]).evaluation is None


async def test_without_a_cache_nothing_is_stored() -> None:
    client = Client(router(cached=False))
    sent = await client.send(chat())
    reply = await retried(client, metadata(sent), sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    assert WriteToken.decode(reply.dynamic_metadata[METADATA_NAMESPACE][TOKEN_KEY]).plan is None


async def test_an_inline_stream_sees_the_answer_of_the_pool_that_was_asked_last(client: Client) -> None:
    sent = await client.send(chat(), role=Role.INLINE)
    told = metadata(sent)
    reply = await retried(client, told, sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    told |= reply.dynamic_metadata[METADATA_NAMESPACE]
    pairs = Headers((("content-type", "application/json"),))
    origin = Origin("vllm_large>vllm_small", "via_upstream")
    started = AnswerStarted(200, pairs, last=False, metadata={METADATA_NAMESPACE: told}, origin=origin)
    assert sent.driver.on_answer_headers(started) == HeadersReply()
    sent.driver.on_answer_chunk(AnswerChunk(answer_json(), last=True))
    assert client.router.reports.answers[0].model == "small"


async def test_who_waits_for_the_answer_does_not_wait_on(client: Client) -> None:
    """They look under the key of the first model, where nothing is stored now, and ask for themselves."""
    sent = await client.send(chat())
    told = metadata(sent)
    reply = await retried(client, told, sent.forwarded.body or b"")
    assert isinstance(reply, BodyReply)
    told |= reply.dynamic_metadata[METADATA_NAMESPACE]
    token = WriteToken.decode(told[TOKEN_KEY])
    first = WriteToken.decode(metadata(sent)[TOKEN_KEY])
    assert first.plan is not None
    assert token.plan is not None
    assert token.failover is not None
    assert token.failover.waited == first.plan.fingerprint != token.plan.fingerprint


@pytest.mark.parametrize("path", [PATH, "/unknown"])
@pytest.mark.parametrize(
    "break_it",
    [
        lambda told: told.pop(FAILOVER_KEY),
        lambda told: told.pop(TOKEN_KEY),
        lambda told: told.update({FAILOVER_KEY: "[0,1,2,3,4]"}),
        lambda told: told.update({FAILOVER_KEY: "nonsense"}),
        lambda told: told.update({TOKEN_KEY: "nonsense"}),
    ],
)
async def test_a_pool_gets_nothing_that_was_not_written_for_it(
    client: Client, break_it: Any, path: str
) -> None:
    sent = await client.send(chat())
    told = metadata(sent)
    break_it(told)
    reply = await retried(client, told, sent.forwarded.body or b"", path=path)
    assert isinstance(reply, ImmediateResponse)
    assert reply.status == 503


async def test_neither_does_a_pool_that_is_in_no_plan_or_one_behind_another_filter(client: Client) -> None:
    sent = await client.send(chat())
    body, told = sent.forwarded.body or b"", metadata(sent)
    assert isinstance(await retried(client, told, body, cluster="-"), ImmediateResponse)
    assert isinstance(await retried(client, told, body + b" "), ImmediateResponse)
    driver = client.router.parts.drive(Role.RETRY)
    assert isinstance(await driver.on_request_body(BodyTooLarge(9)), ImmediateResponse)
    assert driver.on_answer_headers(AnswerStarted(200, Headers(), last=True)) == HeadersReply()
    assert driver.on_answer_chunk(AnswerChunk(b"", last=True)) is None


async def test_a_pool_that_did_not_answer_is_learnt_of(client: Client) -> None:
    for number in range(3):
        sent = await client.send(chat(f"number {number}"))
        await retried(client, metadata(sent), sent.forwarded.body or b"")
    assert (await client.send(chat("four"))).sent_header("x-router-model") == "small"


async def test_a_request_of_which_too_much_would_be_written_anew_has_no_plan(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("router_extproc.pipeline.failover.planning.WRITTEN_BYTES_MAX", 1)
    assert FAILOVER_KEY not in metadata(await client.send(chat()))


async def test_a_plan_comes_back_as_it_went(client: Client) -> None:
    text = metadata(await client.send(chat("Wie groß? 🙂")))[FAILOVER_KEY]
    plan = FailoverPlan.decode(text)
    assert plan.encode() == text
    assert (plan.first, plan.chain) == ("large", "vllm_large>vllm_small")
    assert plan.of("vllm_large") is None


def answer(client: Client, told: dict[str, str], *, cluster: str) -> None:
    driver = client.router.parts.drive(Role.OBSERVE)
    pairs = Headers((("content-type", "application/json"),))
    metadata = {METADATA_NAMESPACE: told}
    origin = Origin(cluster, "via_upstream")
    driver.on_answer_headers(AnswerStarted(200, pairs, last=False, metadata=metadata, origin=origin))
    driver.on_answer_chunk(AnswerChunk(answer_json(), last=True))
    driver.on_closed(clean=True)
