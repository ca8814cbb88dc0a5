"""A sample of requests is asked of another model, too: past Envoy, and behind the client's answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from router_extproc.cli import main
from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer, PoolRequest, RecordingPool
from router_extproc.testing.served_product import Product, clusters_of, running_product, within

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Far longer than an answer takes, and far shorter than a test may.
SLOW_S = 5.0
BUDGET = 2
TOOLS = [{"type": "function", "function": {"name": "pay", "parameters": {"type": "object"}}}]
PRICED = 'shadow_evaluations_priced_total{decision="every"'
EVALUATIONS = 'shadow_evaluations_total{decision="%s",model="large",outcome="%s",shadow_model="small"'


def sections(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    """The large model answers; the small one is asked, too."""
    every = {"model": "small", "rate": 1.0, "per_hour_max": 1000}
    return {
        "models": {
            "small": {"cluster": "vllm_small", "served_name": "tiny-small", "cost": {"input_per_mtok": 1}},
            "large": {"cluster": "vllm_large", "served_name": "tiny-large", "cost": {"input_per_mtok": 4}},
        },
        "default_model": "large",
        "signals": {
            word: {"type": "keywords", "any": [word]} for word in ("rarely", "private", "never", "tooled")
        },
        "decisions": [
            {
                "name": "rarely",
                "when": {"rarely": True},
                "model": "large",
                "shadow": {**every, "per_hour_max": BUDGET},
            },
            {
                "name": "tooled",
                "when": {"tooled": True},
                "model": "large",
                "shadow": every | {"allow_tools": True},
            },
            {"name": "never", "when": {"never": True}, "model": "large", "shadow": False},
            {
                "name": "private",
                "when": {"private": True},
                "model": "large",
                "action": {"redact": ["EMAIL_ADDRESS"]},
            },
            {"name": "every", "model": "large", "parameters": {"default": {"max_tokens": 77}}},
        ],
        "shadow": every,
        "telemetry": {"requests": "all"},
        "envoy": {"clusters": clusters_of(small, large)},
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("evaluation"), sections=sections) as product:
        yield product


@pytest.fixture
def product(running: Product) -> Product:
    for pool in (running.small, running.large):
        pool.reset()
        pool.answer = PoolAnswer((answer_json("It is blue."),))
    return running


def asked(pool: RecordingPool) -> list[PoolRequest]:
    """Without what the sidecar asks by itself."""
    return [request for request in pool.requests if request.method == "POST"]


async def ended(product: Product, decision: str, outcome: str) -> float:
    """How many evaluations have ended so by now."""
    return await product.metric(EVALUATIONS % (decision, outcome)) or 0.0


async def test_a_sampled_request_reaches_the_other_pool_once_and_the_answers_are_compared(
    product: Product,
) -> None:
    before = await ended(product, "every", "same")
    status, headers, _ = await product.ask("What colour is the sky?", "auto", temperature=0.5)
    assert (status, headers["x-router-model"]) == (200, "large")
    await product.until(EVALUATIONS % ("every", "same"), before + 1)
    (request,) = asked(product.small)
    sent = json.loads(request.body)
    assert (request.path, sent["model"], sent["temperature"]) == ("/v1/chat/completions", "tiny-small", 0.5)
    assert sent["max_tokens"] == 77
    assert "x-request-id" not in request.headers
    assert len(asked(product.large)) == 1


async def test_a_stream_is_compared_with_a_whole_answer(product: Product) -> None:
    """The client gets its stream; the other pool is asked for everything at once."""
    before = await ended(product, "every", "same")
    head = b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,'
    word = head + b'"delta":{"role":"assistant","content":"It is blue."},"finish_reason":null}]}\n\n'
    last = head + b'"delta":{},"finish_reason":"stop"}]}\n\n'
    product.large.answer = PoolAnswer((word, last, b"data: [DONE]\n\n"), "text/event-stream")
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "streamed?"}]}
    async with product.session.post(f"{product.url}/v1/chat/completions", json=body) as answer:
        assert (await answer.read()).endswith(b"data: [DONE]\n\n")
    await product.until(EVALUATIONS % ("every", "same"), before + 1)
    assert json.loads(asked(product.small)[0].body)["stream"] is False


MESSAGE = {
    "id": "m1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "It is blue."}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 4, "output_tokens": 3},
}
TEXT = {"type": "output_text", "text": "It is blue.", "annotations": []}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [{"id": "i", "type": "message", "role": "assistant", "status": "completed", "content": [TEXT]}],
    "usage": {"input_tokens": 4, "output_tokens": 3, "total_tokens": 7},
}
COMPLETION = {
    "id": "c1",
    "object": "text_completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "text": "It is blue.", "finish_reason": "stop", "logprobs": None}],
    "usage": {"prompt_tokens": 4, "completion_tokens": 3, "total_tokens": 7},
}


@pytest.mark.parametrize(
    ("path", "members", "answer"),
    [
        ("/v1/messages", {"max_tokens": 9, "messages": [{"role": "user", "content": "messages?"}]}, MESSAGE),
        ("/v1/responses", {"input": "responses?"}, RESPONSE),
        ("/v1/completions", {"prompt": "completions?"}, COMPLETION),
    ],
)
async def test_every_api_is_asked_in_its_own_form(
    product: Product, path: str, members: dict[str, Any], answer: dict[str, Any]
) -> None:
    before = await ended(product, "every", "same")
    for pool in (product.small, product.large):
        pool.answer = PoolAnswer((json.dumps(answer).encode(),))
    headers = {"x-api-key": "key", "anthropic-version": "2023-06-01"}
    async with product.session.post(
        f"{product.url}{path}?beta=true", json={"model": "auto", **members}, headers=headers
    ) as reply:
        assert reply.status == 200
    await product.until(EVALUATIONS % ("every", "same"), before + 1)
    (request,) = asked(product.small)
    sent = json.loads(request.body)
    assert (request.path, sent["model"]) == (path, "tiny-small")
    assert {name: sent[name] for name in members} == members
    assert {name: request.headers[name] for name in headers} == headers
    assert sent.get("store", False) is False


async def test_no_client_waits_for_it_and_a_dead_pool_harms_nobody(product: Product) -> None:
    before = await ended(product, "every", "failed")
    product.small.answer = PoolAnswer((b"no",), status=503, delay_s=SLOW_S)
    answers = await asyncio.gather(*(product.ask(f"waiting {number}?", "auto") for number in range(4)))
    assert [status for status, _, _ in answers] == [200] * 4
    assert await ended(product, "every", "failed") == before
    # One after the other: whatever comes at once, the other pool has one of them at a time.
    await within(lambda: len(asked(product.small)) == 1)
    product.small.answer = PoolAnswer((b"no",), status=503)
    await product.until(EVALUATIONS % ("every", "failed"), before + 4)
    assert len(asked(product.small)) == 4


async def test_the_budget_of_the_hour_stops_it(product: Product) -> None:
    for number in range(BUDGET + 3):
        assert (await product.ask(f"rarely {number}?", "auto"))[0] == 200
    await product.until(EVALUATIONS % ("rarely", "over-budget"), 3)
    assert await ended(product, "rarely", "same") == BUDGET
    assert len(asked(product.small)) == BUDGET


async def test_what_must_not_be_asked_twice_is_not(product: Product) -> None:
    """A last request shows that the ones before it would have been sent by then."""
    same = await ended(product, "every", "same")
    await product.ask("with tools?", "auto", tools=TOOLS)
    await product.ask("by its name?", "large")
    await product.ask("private mail to ann@example.com?", "auto")
    await product.ask("never?", "auto")
    for _ in range(2):
        await product.ask("once from the cache?", "auto")
    await product.ask("the last?", "auto")
    await product.until(EVALUATIONS % ("every", "same"), same + 2)
    bodies = [json.loads(request.body)["messages"][0]["content"] for request in asked(product.small)]
    assert bodies == ["once from the cache?", "the last?"]


async def test_tools_are_offered_twice_where_that_is_allowed(product: Product) -> None:
    before = await ended(product, "tooled", "different")
    call = {"id": "c", "type": "function", "function": {"name": "pay", "arguments": "{}"}}
    calls = {"role": "assistant", "content": None, "tool_calls": [call]}
    product.small.answer = PoolAnswer((answer_json(message=calls, finish_reason="tool_calls"),))
    await product.ask("tooled?", "auto", tools=TOOLS)
    await product.until(EVALUATIONS % ("tooled", "different"), before + 1)


async def test_neither_prompts_nor_answers_nor_keys_are_logged(product: Product) -> None:
    before = await ended(product, "every", "failed")
    product.small.answer = PoolAnswer((b"a secret of the pool",), status=500)
    body = {"model": "auto", "messages": [{"role": "user", "content": "a secret of mine?"}]}
    key = {"authorization": "Bearer a-secret-key"}
    async with product.session.post(f"{product.url}/v1/chat/completions", json=body, headers=key) as answer:
        assert answer.status == 200
    await product.until(EVALUATIONS % ("every", "failed"), before + 1)
    assert asked(product.small)[0].headers["authorization"] == "Bearer a-secret-key"
    assert "secret" not in product.log.read_text(encoding="utf-8")


async def test_the_report_tells_it_for_each_decision(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    before = await product.metric(PRICED) or 0.0
    await product.ask("reported?", "auto")
    await product.until(PRICED, before + 1)

    def report() -> int | str | None:
        with pytest.raises(SystemExit) as stopped:
            main(["shadow", "--admin", str(product.config.admin), "--json"])
        return stopped.value.code

    assert await asyncio.to_thread(report) == 0
    rows = {row["decision"]: row for row in json.loads(capsys.readouterr().out)["evaluations"]}
    assert rows["every"]["saving"] == pytest.approx(0.75)
    assert rows["every"]["good_enough_low"] < 1 == rows["every"]["good_enough_high"]
