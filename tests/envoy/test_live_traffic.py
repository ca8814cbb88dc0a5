"""The product as `serve` runs it, with real Envoy: what pools' answers show decides who is asked."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer, RecordingPool
from router_extproc.testing.served_product import LIMIT_S, Product, clusters_of, running_product

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Speeds are compared anew every 30 s; a loaded machine may show the wrong ones at first.
PREFERRED_S = 120.0
#: Until a pool that said so is asked again: longer than the few requests before it take.
RETRY_AFTER_S = 10
ERROR = json.dumps({"error": {"message": "no", "type": "server_error"}}).encode()


def sections(small: RecordingPool, large: RecordingPool) -> dict[str, Any]:
    """Three decisions that choose among both models, each in its own way; requests go to no other one."""
    rules = {name: {"type": "keywords", "any": [name]} for name in ("weighty", "speedy", "strong")}
    both = ["small", "large"]
    return {
        "models": {
            "small": {"cluster": "vllm_small", "context_tokens": 1000},
            "large": {"cluster": "vllm_large", "context_tokens": 2000},
        },
        "default_model": "large",
        "failover": False,
        "signals": rules,
        "decisions": [
            {
                "name": "weighty",
                "priority": 2,
                "when": {"weighty": True},
                "models": both,
                "selection": {"by": "weighted"},
            },
            {
                "name": "speedy",
                "priority": 1,
                "when": {"speedy": True},
                "models": both,
                "selection": {"by": "fastest"},
            },
            {"name": "strong", "when": {"strong": True}, "model": "large"},
            {"name": "plain", "models": both},
        ],
        "envoy": {"clusters": clusters_of(small, large)},
        "workers": 2,
        "semantic_cache": {"enabled": False},
    }


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("product"), sections=sections) as running:
        yield running


@pytest.fixture(autouse=True)
def good_pools(product: Product) -> None:
    for pool in (product.small, product.large):
        pool.reset()
        pool.answer = PoolAnswer((answer_json("hi"),))


async def model(product: Product, prompt: str, **members: Any) -> str:
    _, headers, _ = await product.ask(prompt, "auto", **members)
    return headers["x-router-model"]


def in_loop(first: str, number: int) -> list[dict[str, Any]]:
    """The messages of a request in which a human asks something else beside the tool's result."""
    call = {"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    return [
        {"role": "user", "content": first},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "fine"},
        {"role": "user", "content": f"What is the capital of Norway, in {number} words?"},
    ]


async def told(product: Product, name: str) -> None:
    """Wait until a worker tells this metric."""
    give_up_s = time.monotonic() + LIMIT_S
    while await product.metric(name) is None:
        assert time.monotonic() < give_up_s, name
        await asyncio.sleep(0.05)


async def test_a_conversation_keeps_its_model(product: Product) -> None:
    """In either worker, without any of them telling the other."""
    asked = [f"weighty {number}" for number in range(12)]
    first = [await model(product, prompt) for prompt in asked]
    assert set(first) == {"small", "large"}
    assert [await model(product, prompt, seed=2) for prompt in asked] == first


async def test_a_session_stays_on_its_model_inside_a_tool_loop_in_every_worker(product: Product) -> None:
    """The question in the middle of the loop would go to the small model."""
    give_up_s, asked, count = time.monotonic() + LIMIT_S, {"small"}, 0
    while asked != {"large"}:
        assert time.monotonic() < give_up_s, "workers do not agree"
        count += 1
        first = f"strong {count}"
        assert await model(product, first) == "large"
        await asyncio.sleep(1)
        asked = {await model(product, "", messages=in_loop(first, number)) for number in range(6)}
    moves = [await product.metric(f'session_moves_total{{move="stay",worker="{worker}"') for worker in (0, 1)]
    assert sum(filter(None, moves)) >= 6


async def test_a_request_that_is_too_long_for_all_is_told_the_limit(product: Product) -> None:
    status, _, body = await product.ask("word " * 4000, "auto")
    assert (status, body["error"]["code"]) == (400, "context_length_exceeded")
    assert "> 2000 maximum" in body["error"]["message"]
    assert await model(product, "short", max_tokens=1500) == "large"
    assert await model(product, "short") == "small"


async def test_the_faster_pool_is_preferred(product: Product) -> None:
    product.small.answer.delay_s = 1.0
    used = json.loads(answer_json("hi")) | {
        "usage": {"prompt_tokens": 5, "completion_tokens": 50, "total_tokens": 55}
    }
    for pool in (product.small, product.large):
        pool.answer.pieces = (json.dumps(used).encode(),)
    for number in range(6):
        await model(product, f"weighty warm {number}")
    for name, worker in (("small", 0), ("small", 1), ("large", 0), ("large", 1)):
        await told(product, f'traffic_answer_tokens{{decision="weighty",model="{name}",worker="{worker}"')
    give_up_s, last = time.monotonic() + PREFERRED_S, deque(["small"], maxlen=8)
    while set(last) != {"large"}:
        last.append(await model(product, f"speedy {len(product.large.requests)}"))
        assert time.monotonic() < give_up_s, last


async def test_a_rate_limited_pool_is_left_by_all_workers_and_used_again(product: Product) -> None:
    product.small.answer = PoolAnswer((ERROR,), status=429, headers={"retry-after": str(RETRY_AFTER_S)})
    assert await model(product, "plain limited") == "small"
    await product.until('model_state{model="small",state="paused",worker="0"', 1)
    await product.until('model_state{model="small",state="paused",worker="1"', 1)
    product.small.reset()
    product.small.answer = PoolAnswer((answer_json("hi"),))
    assert {await model(product, f"plain {number}") for number in range(4)} == {"large"}
    assert product.small.requests == []
    await product.until('model_state{model="small",state="probing",worker="0"', 1)
    number = 0
    while await product.metric('model_state{model="small",state="open",worker="0"') != 1:
        await model(product, f"plain again {number}")
        number += 1
        assert number < 200, "probes never won it back"
    await product.until('model_requests_in_flight{model="small",worker="0"', 0)
