"""Usage that is asked for on a client's behalf: the pool is asked, and the client sees none of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.failover.patch import apply
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.passing_answer import AnswerChanges, PassingAnswer
from router_extproc.protocol.events import AnswerChunk, AnswerStarted, Origin
from router_extproc.protocol.headers import Headers
from router_extproc.routing.actions import Redaction
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.failover import Failovers
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.testing.client import PATH, answer_json, chat
from router_extproc.testing.fake_envoy import FakeEnvoy, Forwarded, PoolAnswer, Profile, Received
from router_extproc.testing.reports import TOKEN
from router_extproc.testing.router import LARGE, SMALL, FakeRouter, fake_router

pytestmark = pytest.mark.asyncio

ASKING = replace(SMALL, asks_usage=True)
ASKED = {"include_usage": True}
COUNTS = {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7}
SSE = (("content-type", "text/event-stream"),)
FAILOVERS = Failovers({("either", "small"): (LARGE,)}, 2)


def router(**more: Any) -> FakeRouter:  # Any: as for fake_router
    return fake_router(targets=(ASKING, LARGE), **more)


def frames(*contents: str, usage: bool, null: bool = False) -> Sequence[bytes]:
    """A pool's stream; `null`: its chunks say so that they have no usage."""
    head = {"id": "a1", "created": 5, "model": "m", **({"usage": None} if null else {})}
    chunks = [{**head, "choices": [{"index": 0, "delta": {"content": each}}]} for each in contents]
    chunks.append({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if usage:
        chunks.append({**head, "choices": [], "usage": COUNTS})
    return [*(b"data: " + orjson.dumps(each) + b"\n\n" for each in chunks), b"data: [DONE]\n\n"]


def pool(request: Forwarded) -> PoolAnswer:
    """As OpenAI's: it says what it is asked."""
    body = json.loads(request.body)
    if not body.get("stream"):
        return PoolAnswer((answer_json("So it is."),))
    options = body.get("stream_options") or {}
    usage = options.get("include_usage") is True
    return PoolAnswer(tuple(frames("So ", "it is.", usage=usage, null=usage)), headers=SSE)


async def asked(at: FakeRouter, profile: Profile = "inline", path: str = PATH, **members: object) -> Received:
    body = json.dumps(chat("Is it so?", **members)).encode()
    mine = {"authorization": "Bearer mine"}
    return await FakeEnvoy(at.parts.drive, profile, pool).post(path, body=body, headers=mine)


def sent(got: Received) -> dict[str, object]:
    assert got.forwarded is not None
    body = json.loads(got.forwarded.body)
    assert isinstance(body, dict)
    return body


async def test_the_pool_is_asked_and_the_client_gets_its_stream_as_if_it_was_not() -> None:
    got = await asked(router(), stream=True)
    assert sent(got)["stream_options"] == ASKED
    assert got.forwarded is not None
    assert got.forwarded.headers.get("content-length") == str(len(got.forwarded.body))
    assert got.forwarded.headers.get("accept-encoding") == "identity"
    assert got.body == b"".join(frames("So ", "it is.", usage=False))


async def test_an_answer_that_nobody_stores_is_asked_for_without_a_coding_too() -> None:
    """What is compressed cannot be changed."""
    got = await asked(router(cached=False), stream=True)
    assert got.forwarded is not None
    assert got.forwarded.headers.get("accept-encoding") == "identity"
    assert b"usage" not in got.body


async def test_its_usage_is_counted() -> None:
    at = router()
    await asked(at, stream=True)
    [report] = at.reports.answers
    assert report.usage is not None
    assert (report.usage.prompt_tokens, report.usage.completion_tokens) == (4, 3)


@pytest.mark.parametrize("form", [{}, {"stream": True, "stream_options": ASKED}], ids=["object", "stream"])
async def test_its_stored_answer_serves_who_reads_usage(form: dict[str, object]) -> None:
    at = router()
    await asked(at, stream=True)
    got = await asked(at, **form)
    assert (got.header("x-router-cache"), got.forwarded) == ("hit-exact", None)
    assert b'"total_tokens":7' in got.body


async def test_a_replay_shows_no_usage_to_who_did_not_ask() -> None:
    at = router()
    await asked(at, stream=True)
    got = await asked(at, stream=True, stream_options={"include_usage": False})
    assert got.header("x-router-cache") == "hit-exact"
    assert b"usage" not in got.body


async def test_a_client_that_asks_itself_gets_what_the_pool_says() -> None:
    got = await asked(router(), stream=True, stream_options=ASKED)
    assert got.body == b"".join(frames("So ", "it is.", usage=True, null=True))


async def test_a_model_that_is_not_to_be_asked_is_not() -> None:
    got = await asked(router(), stream=True, model="large")
    assert "stream_options" not in sent(got)
    assert got.body == b"".join(frames("So ", "it is.", usage=False))


async def test_where_answers_are_only_observed_nothing_is_asked() -> None:
    """The client would see the usage."""
    got = await asked(router(), "split", stream=True)
    assert "stream_options" not in sent(got)


async def test_an_api_whose_answers_have_usage_anyway_is_not_asked() -> None:
    body = json.dumps({"model": "auto", "input": "Is it so?", "stream": True, "store": False}).encode()
    got = await FakeEnvoy(router().parts.drive, "inline", pool).post("/v1/responses", body=body)
    assert "stream_options" not in sent(got)


async def test_what_is_redacted_is_put_back_as_well() -> None:
    private = RoutingDecision("private", 1, ALWAYS, (Candidate(ASKING),), None)
    decision = replace(private, redaction=Redaction(("EMAIL_ADDRESS",)))

    def repeating(request: Forwarded) -> PoolAnswer:
        assert json.loads(request.body)["stream_options"] == ASKED
        return PoolAnswer(tuple(frames("Mail [EMAIL_", "ADDRESS_1].", usage=True, null=True)), headers=SSE)

    body = json.dumps(chat("I am jo@example.com", stream=True)).encode()
    at = router(decisions=[decision])
    got = await FakeEnvoy(at.parts.drive, "inline", repeating).post(PATH, body=body)
    told = [json.loads(each[6:]) for each in got.body.split(b"\n\n") if each.startswith(b"data: {")]
    text = "".join(each["choices"][0]["delta"].get("content", "") for each in told)
    assert text == "Mail jo@example.com."
    assert b"usage" not in got.body


async def test_explain_shows_the_edit() -> None:
    body = json.dumps(chat("Is it so?", stream=True)).encode()
    raw = RawRequest(DIALECTS["openai_chat"], Headers(((":path", PATH),)), body)
    decision = await router().parts.pipeline.read_only().decide(raw)
    assert isinstance(decision, Forward)
    assert [edit.path for edit in decision.edits] == ["model", "stream_options"]


# ── who answers, where several may ────────────────────────────────────────────────────────────


@pytest.mark.parametrize("asks", [False, True])
async def test_the_next_pool_is_asked_only_if_its_model_is(*, asks: bool) -> None:
    large = replace(LARGE, asks_usage=asks)
    either = RoutingDecision("either", 1, ALWAYS, (Candidate(ASKING), Candidate(large)), None)
    failovers = Failovers({("either", "small"): (large,)}, 2)
    at = fake_router(decisions=[either], failovers=failovers, targets=(ASKING, large))
    body = json.dumps(chat("Is it so?", stream=True)).encode()
    raw = RawRequest(DIALECTS["openai_chat"], Headers(((":path", PATH),)), body)
    decision = await at.parts.pipeline.decide(raw)
    assert isinstance(decision, Forward)
    assert decision.usage_asked == ({"small", "large"} if asks else {"small"})
    assert decision.failover is not None
    [other] = decision.failover.alternatives
    told = json.loads(apply(other.patch, decision.body or b""))
    assert (told["model"], "stream_options" in told) == ("tiny-large", asks)


def passing(model: str, cluster: str = "") -> bytes | None:
    """What a client gets of an event of usage, where the small model's pool was asked for it."""
    answer = PassingAnswer(fake_router(targets=(ASKING, LARGE), failovers=FAILOVERS).parts.observer)
    changes = AnswerChanges(DIALECTS["openai_chat"], usage_asked=frozenset({"small"}))
    started = AnswerStarted(200, Headers(SSE), last=False, origin=Origin(cluster=cluster))
    answer.begin(started, replace(TOKEN, model=model), changes)
    return answer.feed(AnswerChunk(frames(usage=True)[-2], last=True))


async def test_usage_that_a_pool_says_unasked_passes() -> None:
    assert passing("large") is None


async def test_usage_that_was_asked_for_does_not() -> None:
    assert passing("small") == b""


async def test_nor_does_it_where_nobody_knows_who_answered() -> None:
    assert passing("large", cluster="vllm_small") == b""


async def test_an_answer_that_cannot_be_read_passes() -> None:
    """Nobody knows what its bytes mean."""
    alone = frames(usage=True)[-2]

    def coded(request: Forwarded) -> PoolAnswer:
        del request
        return PoolAnswer((alone,), headers=(*SSE, ("content-encoding", "br")))

    body = json.dumps(chat("Is it so?", stream=True)).encode()
    got = await FakeEnvoy(router().parts.drive, "inline", coded).post(PATH, body=body)
    assert got.body == alone


async def test_a_refusal_of_the_pool_passes() -> None:
    def refusing(request: Forwarded) -> PoolAnswer:
        del request
        return PoolAnswer((b'{"error":{"message":"stream_options: unknown"}}',), status=400)

    body = json.dumps(chat("Is it so?", stream=True)).encode()
    got = await FakeEnvoy(router().parts.drive, "inline", refusing).post(PATH, body=body)
    assert (got.status, got.body) == (400, b'{"error":{"message":"stream_options: unknown"}}')
