"""A request whose model's pool is down, as the pipeline decides and the observer stores it."""

from __future__ import annotations

import json

import pytest

from router_extproc.pipeline.decision import Forward
from router_extproc.protocol.events import AnswerChunk, AnswerStarted, Origin
from router_extproc.protocol.headers import HeaderMutation, Headers
from router_extproc.protocol.messages import HeadersReply
from router_extproc.protocol.modes import Role
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import fake_router

DOWN = "no_healthy_upstream"


@pytest.fixture
def client() -> Client:
    return Client(fake_router(fallbacks={"small": "large"}))


def take_down(client: Client) -> None:
    client.router.traffic.heard("vllm_small", DOWN)


def bring_back(client: Client) -> None:
    client.router.traffic.heard("vllm_small", "via_upstream")


@pytest.mark.parametrize("model", ["auto", "small", "tiny-small"])
async def test_the_fallback_gets_the_request_under_its_own_name(client: Client, model: str) -> None:
    """Routed or pinned: the operator said so."""
    take_down(client)
    sent = await client.send(chat() | {"model": model})
    assert sent.sent_header("x-router-cluster") == "vllm_large"
    assert sent.sent_header("x-router-model") == "large"
    assert json.loads(sent.forwarded.body or b"")["model"] == "tiny-large"
    (report,) = client.router.reports.decisions
    assert isinstance(report.decision, Forward)
    assert report.decision.route.fallback_of == "small"


async def test_what_the_fallback_answered_is_a_hit_only_while_it_stands_in(client: Client) -> None:
    take_down(client)
    await client.ask(chat())
    assert client.router.reports.answers[-1].model == "large"
    again = await client.send(chat())
    assert (again.cache, dict(again.immediate.headers)["x-router-model"]) == ("hit-exact", "large")
    bring_back(client)
    assert (await client.send(chat())).cache == "miss"


async def test_what_the_model_itself_answered_is_a_hit_while_it_is_down(client: Client) -> None:
    await client.ask(chat())
    take_down(client)
    hit = await client.send(chat())
    assert (hit.cache, dict(hit.immediate.headers)["x-router-model"]) == ("hit-exact", "small")


async def test_both_may_answer_the_same_question_and_neither_is_mistaken(client: Client) -> None:
    take_down(client)
    await client.ask(chat())
    bring_back(client)
    await client.ask(chat())
    assert client.router.reports.answers[-1].model == "small"
    hit = await client.send(chat())
    assert dict(hit.immediate.headers)["x-router-model"] == "small"


async def test_a_neighbour_of_the_fallbacks_answer_is_none_of_the_models(client: Client) -> None:
    """Their partitions differ, not their fingerprints alone."""
    take_down(client)
    await client.ask(chat("What is an animal?"))
    bring_back(client)
    assert (await client.send(chat("what is an animal?"))).cache == "miss"


def observe(client: Client, token_of: object, origin: Origin) -> str:
    metadata = token_of.forwarded.dynamic_metadata  # type: ignore[attr-defined] # a Sent
    headers = Headers((("content-type", "application/json"),))
    driver = client.router.parts.drive(Role.OBSERVE)
    driver.on_answer_headers(AnswerStarted(200, headers, last=False, metadata=metadata, origin=origin))
    driver.on_answer_chunk(AnswerChunk(answer_json(), last=True))
    driver.on_closed(clean=True)
    return client.router.reports.answers[-1].stored


@pytest.mark.parametrize(
    ("cluster", "stored"), [("vllm_small", "stored"), ("", "stored"), ("vllm_large", "other cluster")]
)
async def test_an_answer_is_stored_only_under_the_cluster_that_gave_it(
    client: Client, cluster: str, stored: str
) -> None:
    """An Envoy that says nothing is somebody's own: its operator answers for its routes."""
    assert observe(client, await client.send(chat()), Origin(cluster, "via_upstream")) == stored


async def test_nobody_is_told_a_model_that_did_not_answer(client: Client) -> None:
    """Where the header can still be taken off: on an inline stream."""
    sent = await client.send(chat(), role=Role.INLINE)
    headers = Headers((("content-type", "application/json"),))
    event = AnswerStarted(200, headers, last=False, origin=Origin("vllm_large", "via_upstream"))
    reply = sent.driver.on_answer_headers(event)
    assert reply == HeadersReply(HeaderMutation(remove=("x-router-model", "x-vsr-selected-model")))


async def test_the_answer_that_envoy_made_for_a_pool_that_is_down_is_learnt_from(client: Client) -> None:
    observe(client, await client.send(chat()), Origin("vllm_small", DOWN))
    assert (await client.send(chat("Another?"))).sent_header("x-router-model") == "large"
