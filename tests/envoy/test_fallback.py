"""The product as `serve` runs it: a pool that is lost, and an Envoy of another configuration."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.model import Config
from router_extproc.testing.client import answer_json
from router_extproc.testing.served_product import LIMIT_S, Product, running_product, within

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def product(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Product]:
    async with running_product(tmp_path_factory.mktemp("product")) as running:
        running.small.answer.pieces = (answer_json("says the small one"),)
        running.large.answer.pieces = (answer_json("says the large one"),)
        yield running


async def test_a_pool_that_is_down_answers_from_its_fallback_and_is_used_again(product: Product) -> None:
    """The body, the header, the metric and the log all name the model that answered."""
    await product.until('pool_up{cluster="vllm_large"', 1)
    assert (await product.ask("first"))[1]["x-router-model"] == "large"
    product.large.health = 503
    await product.until('pool_up{cluster="vllm_large"', 0)
    for model in ("large", "auto", "tiny-large"):
        status, headers, body = await product.ask(f"down, {model}", model)
        assert (status, headers["x-router-model"]) == (200, "small")
        assert body["choices"][0]["message"]["content"] == "says the small one"
    asked = [request for request in product.small.requests if request.method == "POST"]
    assert {json.loads(request.body)["model"] for request in asked} == {"tiny-small"}
    assert await product.metric('fallbacks_total{fallback="small",model="large"') == 3
    product.large.health = 200
    await product.until('pool_up{cluster="vllm_large"', 1)
    status, headers, _ = await product.ask("back again")
    assert (status, headers["x-router-model"]) == (200, "large")
    await within(lambda: len(product.logged("pool is back")) == 1)
    (lost,) = product.logged("pool lost: its fallback answers")
    assert (lost["level"], lost["cluster"]) == ("warning", "vllm_large")


async def test_what_the_fallback_answered_is_replayed_only_while_it_stands_in(product: Product) -> None:
    """And what the model itself had answered before goes first."""
    own, lent = "What is the capital of Portugal?", "Who wrote the novel Dracula?"
    await product.ask(own)
    await product.ask("something else")
    product.large.health = 503
    await product.until('pool_up{cluster="vllm_large"', 0)
    await _hit(product, own, "large")
    await product.ask(lent)
    await _hit(product, lent, "small")
    product.large.health = 200
    await product.until('pool_up{cluster="vllm_large"', 1)
    _, headers, body = await product.ask(lent)
    assert (headers["x-router-cache"], headers["x-router-model"]) == ("miss", "large")
    assert body["choices"][0]["message"]["content"] == "says the large one"


async def test_envoys_word_is_enough_and_the_next_request_is_answered(product: Product) -> None:
    """Between two probes one request may get the 503 that Envoy makes; it says when to try again."""
    product.large.health = 503
    statuses = []
    for number in range(60):
        statuses.append((await product.ask(f"now {number}"))[0])
        await asyncio.sleep(0.02)
    assert set(statuses) <= {200, 503}
    assert statuses.count(503) <= 2
    assert set(statuses[-10:]) == {200}
    product.large.health = 200
    await product.until('pool_up{cluster="vllm_large"', 1)


async def test_the_same_configuration_matches(product: Product) -> None:
    await product.ask("Hello")
    assert await product.metric("envoy_config_matches") == 1
    shown = json.loads(await product.admin("/readyz"))["envoy_config"]
    assert shown == {"expected": envoy_digest(product.config), "matches": True, "others": []}


async def test_an_envoy_of_another_configuration_is_warned_of_once_and_shown(tmp_path: Path) -> None:
    def other(config: Config) -> Config:
        limits = config.limits.model_copy(update={"max_body_bytes": 2 * 1024 * 1024})
        return config.model_copy(update={"limits": limits})

    async with running_product(tmp_path, rendered_from=other) as product:
        for number in range(5):
            await product.ask(f"Hello {number}")
        assert await product.metric("envoy_config_matches") == 0
        expected, seen = envoy_digest(product.config), envoy_digest(other(product.config))
        shown = json.loads(await product.admin("/readyz"))["envoy_config"]
        assert shown == {"expected": expected, "matches": False, "others": [seen]}
        event = "Envoy was rendered from another configuration: render again and restart it"
        (warning,) = product.logged(event)
        assert (warning["level"], warning["expected"], warning["seen"]) == ("warning", expected, seen)


async def _hit(product: Product, prompt: str, model: str) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while True:
        _, headers, _ = await product.ask(prompt)
        if headers["x-router-cache"].startswith("hit"):
            assert headers["x-router-model"] == model
            return
        assert time.monotonic() < give_up_s
