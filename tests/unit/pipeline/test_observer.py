"""What the observer stores, what it never stores, and what it reports."""

from __future__ import annotations

import pytest

from router_extproc.cache.base import Selector
from router_extproc.pipeline.observer import WAITED_MAX_S
from router_extproc.protocol.events import AnswerChunk, AnswerStarted, BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply
from router_extproc.protocol.modes import Role
from router_extproc.protocol.names import METADATA_NAMESPACE, TOKEN_KEY
from router_extproc.testing.client import PATH, Client, answer_json, chat
from router_extproc.testing.router import fake_router


@pytest.fixture
def client() -> Client:
    return Client(fake_router())


def stored(client: Client) -> str:
    return client.router.reports.answers[-1].stored


async def test_complete_answer_is_stored_and_reported(client: Client) -> None:
    sent = await client.send(chat())
    client.router.clock.advance(0.25)
    client.answer(sent, answer_json())
    report = client.router.reports.answers[-1]
    assert (report.stored, report.status, report.streamed) == ("stored", 200, False)
    assert report.duration_s == pytest.approx(0.25)
    assert report.usage is not None
    assert report.usage.prompt_tokens == 4


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({}, "stop"),
        ({"finish_reason": "length"}, "length"),
        ({"finish_reason": "content_filter"}, "content_filter"),
        ({"finish_reason": "what a pool calls it"}, "other"),
        ({"finish_reason": None}, None),
    ],
)
async def test_an_answer_is_reported_with_its_usage_whole_or_cut(
    client: Client, choice: dict[str, object], reason: str | None
) -> None:
    """A completion that max_tokens cut has cost as much; its reason is a word of ours."""
    client.answer(await client.send(chat()), answer_json(**choice))
    report = client.router.reports.answers[-1]
    assert report.finish_reason == reason
    assert report.usage is not None
    assert (report.usage.prompt_tokens, report.usage.completion_tokens) == (4, 3)


@pytest.mark.parametrize(
    ("body", "kwargs"),
    [
        (answer_json(), {"status": 500}),
        (answer_json(finish_reason="length"), {}),
        (answer_json()[:-1], {}),
        (b"", {}),
        (answer_json(), {"set_cookie": "a=b"}),
        (answer_json(), {"content_encoding": "gzip"}),
        (answer_json(), {"cache_control": "no-store"}),
    ],
    ids=["error", "length", "cut", "empty", "cookie", "compressed", "no-store"],
)
async def test_unfit_answer_is_not_stored(client: Client, body: bytes, kwargs: dict[str, object]) -> None:
    sent = await client.send(chat())
    client.answer(sent, body, **kwargs)  # type: ignore[arg-type] # headers and status by name
    assert stored(client) != "stored"
    assert (await client.send(chat())).cache == "miss"


async def test_answer_without_end_of_stream_is_never_stored(client: Client) -> None:
    """The client went away: what came so far may be half of the answer."""
    sent = await client.send(chat())
    client.answer(sent, answer_json(), end=False)
    assert stored(client) == "aborted"
    assert (await client.send(chat())).cache == "miss"


async def test_answer_to_a_request_from_before_a_purge_is_not_stored(client: Client) -> None:
    sent = await client.send(chat())
    client.router.clock.advance(1)
    await client.router.cache.purge(Selector())
    client.router.clock.advance(1)
    client.answer(sent, answer_json())
    assert stored(client) == "purged"
    assert (await client.send(chat())).cache == "miss"


async def test_answer_without_a_token_is_not_observed(client: Client) -> None:
    """A cache hit's own answer passes the second filter too: no token, no write."""
    driver = client.router.parts.drive(Role.OBSERVE)
    driver.on_answer_headers(AnswerStarted(200, Headers(), last=False))
    driver.on_answer_chunk(AnswerChunk(answer_json(), last=True))
    driver.on_closed(clean=True)
    assert client.router.reports.answers == []


@pytest.mark.parametrize("token", ["", "{}", "[]", "null", "[2,1,1,1,1,1]", '[1,"nobody","m","d",1.0,null]'])
async def test_foreign_token_is_not_observed(client: Client, token: str) -> None:
    """A rolling update may mix versions; another's token stores nothing and breaks nothing."""
    assert client.router.parts.observer.open(token, 200, {}) is None


async def test_ttft_is_taken_at_the_first_content(client: Client) -> None:
    sent = await client.send(chat(stream=True))
    driver = client.router.parts.drive(Role.OBSERVE)
    metadata = sent.forwarded.dynamic_metadata
    headers = Headers((("content-type", "text/event-stream"),))
    driver.on_answer_headers(AnswerStarted(200, headers, last=False, metadata=metadata))
    driver.on_answer_chunk(AnswerChunk(b": comment\n\n", last=False))
    client.router.clock.advance(2)
    delta = b'data: {"choices":[{"index":0,"delta":{"content":"A"}}]}\n\n'
    driver.on_answer_chunk(AnswerChunk(delta, last=False))
    client.router.clock.advance(3)
    driver.on_closed(clean=False)
    report = client.router.reports.answers[-1]
    assert report.ttft_s == pytest.approx(2)
    assert (report.streamed, report.stored) == (True, "aborted")


async def test_inline_stream_observes_its_own_request(client: Client) -> None:
    """It has the write token as a value: a gateway with one filter hands no metadata on."""
    driver = client.router.parts.drive(Role.INLINE)
    pairs = ((":method", "POST"), (":path", PATH), ("authorization", "Bearer test-client"))
    await driver.on_request_headers(RequestStarted(Headers(pairs), last=False))
    body = b'{"model":"auto","messages":[{"role":"user","content":"Hi"}]}'
    reply = await driver.on_request_body(BodyReceived(body, last=True))
    assert isinstance(reply, BodyReply)
    assert TOKEN_KEY not in reply.dynamic_metadata[METADATA_NAMESPACE]
    driver.on_answer_headers(AnswerStarted(200, Headers((("content-type", "application/json"),)), last=False))
    driver.on_answer_chunk(AnswerChunk(answer_json(), last=True))
    driver.on_closed(clean=True)
    assert stored(client) == "stored"


@pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
async def test_jump_before_the_answer_begins_neither_breaks_nor_floods_the_histograms(
    client: Client, jump_s: float
) -> None:
    sent = await client.send(chat())
    client.router.clock.advance(0.25)
    client.router.clock.set_wall_on(jump_s)
    client.answer(sent, answer_json())
    assert 0 <= client.router.reports.answers[-1].duration_s <= WAITED_MAX_S


@pytest.mark.parametrize("jump_s", [-86400.0, 86400.0])
async def test_jump_in_the_middle_of_an_answer_is_no_part_of_its_duration(
    client: Client, jump_s: float
) -> None:
    sent = await client.send(chat())
    driver = client.router.parts.drive(Role.OBSERVE)
    headers = Headers((("content-type", "application/json"),))
    metadata = sent.forwarded.dynamic_metadata
    driver.on_answer_headers(AnswerStarted(200, headers, last=False, metadata=metadata))
    client.router.clock.advance(2)
    client.router.clock.set_wall_on(jump_s)
    client.router.clock.advance(1)
    driver.on_answer_chunk(AnswerChunk(answer_json(), last=True))
    assert client.router.reports.answers[-1].duration_s == pytest.approx(3)
