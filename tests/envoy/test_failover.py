"""A pool that does not begin to answer: the next candidate is asked, with the body that is meant for it."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import HANGS_S, PoolAnswer, PoolRequest, RecordingPool
from router_extproc.testing.served_product import Product, clusters_of, running_product, within
from router_extproc.testing.stack import free_address

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_BYTE_S = 1.5
#: For whatever may not hang: a loaded machine takes its time.
SOON_S = 30.0
CHUNK = b'data: {"id":"1","object":"chat.completion.chunk","choices":[{"index":0,"delta":'
WORD = CHUNK + b'{"content":"word"}}]}\n\n'
END = CHUNK + b'{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
STREAMED = PoolAnswer((WORD, END), "text/event-stream")


def sections(small: RecordingPool, large: RecordingPool, **envoy: Any) -> dict[str, Any]:
    """Requests go to the large model, which reasons in another way than the small one."""
    models = {
        "small": {"cluster": "vllm_small", "served_name": "tiny-small", "reasoning": {"family": "gpt_oss"}},
        "large": {
            "cluster": "vllm_large",
            "served_name": "tiny-large",
            "reasoning": {"family": "qwen3"},
            "fallback": "small",
        },
        "gone": {"cluster": "vllm_gone"},
        "lost": {"cluster": "vllm_lost"},
    }
    words = ("alone", "gone", "lost", "private")
    decisions = [
        {"name": "alone", "when": {"alone": True}, "models": ["large", "small"], "failover": False},
        {"name": "gone", "when": {"gone": True}, "models": ["gone", "small"]},
        {"name": "lost", "when": {"lost": True}, "models": ["gone", "lost"]},
        {
            "name": "private",
            "when": {"private": True},
            "models": ["large", "small"],
            "action": {"redact": ["EMAIL_ADDRESS"]},
        },
        {
            "name": "every",
            "models": ["large", "small"],
            "reasoning": True,
            "parameters": {"default": {"max_tokens": 77}},
            "system_prompt": {"prepend": "Answer briefly."},
        },
    ]
    # The checks of neither side are to find out before the requests do.
    clusters = clusters_of(small, large, health=False, outliers=False)
    dead = {name: {"endpoints": [free_address()], "health": False} for name in ("vllm_gone", "vllm_lost")}
    return {
        "models": models,
        "default_model": "large",
        "signals": {word: {"type": "keywords", "any": [word]} for word in words},
        "decisions": decisions,
        "failover": {"first_byte_timeout_s": FIRST_BYTE_S},
        "telemetry": {"requests": "all"},
        "envoy": {"clusters": clusters | dead, **envoy},
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("failover"), sections=sections) as product:
        yield product


@pytest_asyncio.fixture(loop_scope="module")
async def product(running: Product) -> Product:
    await _well(running)
    return running


async def _well(product: Product) -> None:
    """Both pools answer, and the worker has nothing against them."""
    for pool in (product.small, product.large):
        pool.reset()
        pool.answer.pieces = (answer_json(f"says the {pool.name} one"),)
    give_up_s = time.monotonic() + SOON_S
    while not await _is_first(product):
        assert time.monotonic() < give_up_s
        await asyncio.sleep(0.2)
    product.small.requests.clear()
    product.large.requests.clear()


async def _is_first(product: Product) -> bool:
    """True when every request is sent to the large model first; one that probes it may be, before."""
    _, headers, _ = await product.ask(f"well? {time.monotonic()}", "auto")
    state = await product.metric('model_state{model="large",state="open",worker="0"')
    return headers["x-router-model"] == "large" and state == 1


def _asked(pool: RecordingPool) -> list[PoolRequest]:
    """What clients have asked the pool; the sidecar may ask for its models beside."""
    return [request for request in pool.requests if request.method == "POST"]


def _sent(pool: RecordingPool) -> Any:
    """The only request that the pool got, as JSON."""
    (request,) = _asked(pool)
    assert len(request.body) == int(request.headers["content-length"])
    return json.loads(request.body)


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_the_next_candidate_gets_the_request_as_it_is_meant_for_it(
    product: Product, status: int
) -> None:
    """Name and way of reasoning are its own; a `retry-after` of a year is nobody's business."""
    product.large.answer = PoolAnswer(status=status, headers={"retry-after": "31536000"})
    got, headers, body = await product.ask(f"status {status}", "auto", temperature=0.5)
    assert (got, headers["x-router-model"], headers["x-router-decision"]) == (200, "small", "every")
    assert body["choices"][0]["message"]["content"] == "says the small one"
    large, small = _sent(product.large), _sent(product.small)
    assert (large["model"], small["model"]) == ("tiny-large", "tiny-small")
    assert large["chat_template_kwargs"] == {"enable_thinking": True}
    assert "chat_template_kwargs" not in small
    assert "reasoning_effort" in small
    same = ("messages", "temperature", "max_tokens")
    assert [large[name] for name in same] == [small[name] for name in same]
    told = _asked(product.small)[0].headers
    assert (told["x-router-model"], told["x-router-cluster"]) == ("small", "vllm_small")
    assert "x-router-failover" not in told


async def test_a_pool_that_dies_before_its_first_byte_is_left(product: Product) -> None:
    product.large.dies = True
    assert (await product.ask("dies", "auto"))[1]["x-router-model"] == "small"


async def test_a_pool_that_refuses_is_left(product: Product) -> None:
    status, headers, _ = await product.ask("gone", "auto")
    assert (status, headers["x-router-model"], headers["x-router-decision"]) == (200, "small", "gone")


async def test_a_pool_that_is_silent_hangs_nobody_for_longer_than_the_configured_time(
    product: Product,
) -> None:
    product.large.answer.delay_s = HANGS_S
    began_s = time.monotonic()
    status, headers, _ = await product.ask("silent", "auto")
    assert (status, headers["x-router-model"]) == (200, "small")
    assert FIRST_BYTE_S <= time.monotonic() - began_s < SOON_S


async def test_a_streamed_answer_of_the_next_pool_arrives_whole(product: Product) -> None:
    product.large.answer.status, product.small.answer = 503, STREAMED
    text = await _streamed(product, "streamed")
    assert text == WORD + END
    assert _sent(product.small)["stream"] is True


async def test_an_answer_that_has_begun_is_never_asked_for_again(product: Product) -> None:
    """The client sees that it broke off; nobody generates it a second time."""
    product.large.answer = PoolAnswer((WORD,), "text/event-stream", breaks_off=True)
    with pytest.raises(aiohttp.ClientPayloadError):
        await _streamed(product, "breaks off")
    assert (len(_asked(product.large)), len(_asked(product.small))) == (1, 0)


async def test_a_long_body_is_kept_for_the_next_pool(product: Product) -> None:
    """The name stands in front of it, the way to reason behind it: neither is lost."""
    product.large.answer.status = 503
    text = "long ä " * 125_000
    body = {"messages": [{"role": "user", "content": text}], "model": "auto", "user": "me"}
    assert 1_000_000 < len(json.dumps(body, ensure_ascii=False).encode()) < 1024 * 1024
    got, headers, _ = await product.send(body)
    assert (got, headers["x-router-model"]) == (200, "small")
    sent = _sent(product.small)
    assert (sent["model"], sent["user"], sent["messages"][-1]["content"]) == ("tiny-small", "me", text)


async def test_so_is_one_that_is_nearly_as_long_as_a_body_may_be(product: Product) -> None:
    product.large.answer.status = 503
    text = "long " * 3_000_000
    status, headers, _ = await product.send(
        {"model": "auto", "messages": [{"role": "user", "content": text}]}
    )
    assert (status, headers["x-router-model"]) == (200, "small")
    (request,) = _asked(product.small)
    assert request.body_bytes == int(request.headers["content-length"]) > len(text)
    assert b'"tiny-small"' in request.body[:200]


async def test_what_is_redacted_for_one_pool_is_redacted_for_the_next(product: Product) -> None:
    product.large.answer.status = 503
    assert (await product.ask("private: ada@example.com", "auto"))[1]["x-router-model"] == "small"
    assert _sent(product.small)["model"] == "tiny-small"
    assert b"ada@example.com" not in _asked(product.small)[0].body


async def test_a_decision_may_keep_its_requests_with_one_model(product: Product) -> None:
    product.large.answer.status = 503
    status, headers, _ = await product.ask("alone", "auto")
    assert (status, headers["x-router-model"]) == (503, "large")
    assert _asked(product.small) == []


async def test_a_request_that_names_a_model_goes_to_its_fallback_and_to_nobody_else(product: Product) -> None:
    product.large.answer.status = product.small.answer.status = 503
    assert (await product.ask("pinned", "tiny-large"))[1]["x-router-model"] == "small"
    assert (await product.ask("pinned, too", "small"))[0] == 503
    assert (len(_asked(product.large)), len(_asked(product.small))) == (1, 2)


async def test_when_every_pool_fails_the_last_ones_answer_is_the_clients(product: Product) -> None:
    """At most `attempts_max` are asked, each once."""
    product.large.answer.status = product.small.answer.status = 503
    product.small.answer.pieces = (b'{"error": "mine"}',)
    status, headers, body = await product.ask("all", "auto")
    assert (status, headers["x-router-model"], body) == (503, "small", {"error": "mine"})
    assert (len(_asked(product.large)), len(_asked(product.small))) == (1, 1)


async def test_when_no_pool_can_be_reached_the_error_is_one_that_clients_can_read(product: Product) -> None:
    began_s = time.monotonic()
    status, headers, body = await product.ask("lost", "auto")
    assert (status, body["error"]["code"]) == (503, "pool_unavailable")
    assert int(headers["retry-after"]) <= 60
    assert time.monotonic() - began_s < SOON_S


async def test_a_pool_that_keeps_failing_is_no_longer_asked_first(product: Product) -> None:
    """No request is lost, and the fourth does not wait for the pool any more."""
    product.large.answer.status = 503
    replies = [await product.ask(f"keeps failing {number}", "auto") for number in range(10)]
    assert {(status, headers["x-router-model"]) for status, headers, _ in replies} == {(200, "small")}
    assert len(_asked(product.large)) == 3
    assert await product.metric('failovers_total{model="large",next="small"') >= 3


async def test_an_answer_is_stored_under_the_model_that_gave_it(product: Product) -> None:
    """A hit while the pool fails, and never once it is back."""
    product.large.answer.status = 503
    await product.ask("keeps failing", "auto")
    await product.ask("keeps failing, again", "auto")
    _, first, _ = await product.ask("What is stored?", "auto")
    assert (first["x-router-cache"], first["x-router-model"]) == ("miss", "small")
    await within(lambda: any(line.get("failover_of") for line in product.logged("request answered")))
    _, again, _ = await product.ask("What is stored?", "auto")
    assert (again["x-router-cache"], again["x-router-model"]) == ("hit-exact", "small")
    await _well(product)
    _, back, body = await product.ask("What is stored?", "auto")
    assert (back["x-router-cache"], back["x-router-model"]) == ("miss", "large")
    assert body["choices"][0]["message"]["content"] == "says the large one"


async def test_the_line_of_the_answer_says_who_was_asked_first(product: Product) -> None:
    product.large.answer.status = 503
    before = len(product.logged("request answered"))
    await product.ask("Who is asked first?", "auto")

    def lines() -> list[dict[str, Any]]:
        return [line for line in product.logged("request answered")[before:] if "failover_of" in line]

    await within(lambda: bool(lines()))
    told = [lines()[0][name] for name in ("model", "failover_of", "status", "stored")]
    assert told == ["small", "large", 200, "stored"]


async def _streamed(product: Product, prompt: str) -> bytes:
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": prompt}]}
    async with product.session.post(f"{product.url}/v1/chat/completions", json=body) as reply:
        assert reply.status == 200
        return await reply.read()


async def test_without_the_server_envoy_alone_leaves_a_pool_that_fails(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """What the server had written for one model goes to no other; what it never read goes on as it is."""
    folder = tmp_path_factory.mktemp("inline")
    async with running_product(folder, sections=_inline) as product:
        await _well(product)
        product.large.answer.status = 503
        status, headers, body = await product.ask("private: ada@example.com", "auto")
        assert (status, headers["x-router-model"]) == (200, "small")
        assert body["choices"][0]["message"]["content"] == "says the small one"
        await _well(product)
        product.large.answer = PoolAnswer(status=503, delay_s=1.0)
        in_flight = asyncio.ensure_future(product.ask("in flight", "auto"))
        await within(lambda: len(_asked(product.large)) == 1)
        product.kill_server()
        status, headers, body = await in_flight
        assert (status, body["error"]["code"]) == (503, "pool_unavailable")
        assert _asked(product.small) == []
        product.large.answer = PoolAnswer(status=503)
        status, headers, body = await product.ask("unread", "auto")
        assert (status, body["choices"][0]["message"]["content"]) == (200, "says the small one")
        assert "x-router-model" not in headers
        assert _sent(product.small)["model"] == "auto"


def _inline(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    return sections(small, large, profile="inline")
