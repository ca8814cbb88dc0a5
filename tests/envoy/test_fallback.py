"""The product as `serve` runs it: a pool that is lost, and an Envoy of another configuration."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from router_extproc.config.envoy_digest import envoy_digest
from router_extproc.config.model import Config
from router_extproc.testing.client import answer_json
from router_extproc.testing.json_lines import read_log_lines
from router_extproc.testing.pools import RecordingPool, running_pool
from router_extproc.testing.processes import start_process_async
from router_extproc.testing.stack import ROOT, envoy_of, free_address

pytestmark = pytest.mark.asyncio(loop_scope="module")

LIMIT_S = 60.0
QUICK = {"interval_s": 0.2, "timeout_s": 0.5, "unhealthy_threshold": 2}


@dataclass
class Product:
    """One worker, Envoy in front of it, and the pools behind."""

    config: Config
    url: str
    log: Path
    session: aiohttp.ClientSession = field(repr=False)
    small: RecordingPool
    large: RecordingPool

    async def ask(self, prompt: str, model: str = "large") -> tuple[int, dict[str, str], Any]:
        body = {"model": model, "messages": [{"role": "user", "content": prompt}]}
        async with self.session.post(f"{self.url}/v1/chat/completions", json=body) as reply:
            headers = {name.lower(): value for name, value in reply.headers.items()}
            return reply.status, headers, await reply.json()

    async def admin(self, path: str) -> str:
        async with self.session.get(f"http://{self.config.admin}{path}") as reply:
            return await reply.text()

    async def metric(self, name: str) -> float | None:
        for line in (await self.admin("/metrics")).splitlines():
            if line.startswith(f"router_extproc_{name}"):
                return float(line.rpartition(" ")[2])
        return None

    async def until(self, name: str, value: float) -> None:
        give_up_s = time.monotonic() + LIMIT_S
        while await self.metric(name) != value:
            assert time.monotonic() < give_up_s, name
            await asyncio.sleep(0.05)

    def logged(self, event: str) -> list[dict[str, Any]]:
        return [line for line in read_log_lines(self.log) if line["event"] == event]


@asynccontextmanager
async def running_product(
    folder: Path, *, rendered_from: Callable[[Config], Config] = lambda config: config
) -> AsyncIterator[Product]:
    async with AsyncExitStack() as opened:
        small, large = [await opened.enter_async_context(running_pool(name)) for name in ("small", "large")]
        config = _config(folder, small, large)
        (folder / "router.yaml").write_text(config.model_dump_json(), encoding="utf-8")
        log = folder / "serve.log"
        command = [sys.executable, "-m", "router_extproc", "serve", "-c", str(folder / "router.yaml")]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with log.open("wb") as output:
            process = await start_process_async(*command, stdout=output, stderr=output, env=environment)
        opened.push_async_callback(process.wait)
        opened.callback(process.terminate)
        session = await opened.enter_async_context(aiohttp.ClientSession())
        product = Product(config, f"http://{config.envoy.listen}", log, session, small, large)
        await _ready(product, process)
        envoy = envoy_of(rendered_from(config), folder)
        running = await asyncio.to_thread(envoy.__enter__)
        opened.callback(envoy.__exit__, None, None, None)
        name = "cluster.router_extproc.membership_healthy"
        await _within(lambda: running.counters(name)[name] == 1)
        yield product


def _config(folder: Path, small: RecordingPool, large: RecordingPool) -> Config:
    clusters = {
        "vllm_small": {"endpoints": [small.address], "health": QUICK},
        "vllm_large": {"endpoints": [large.address], "health": QUICK},
    }
    models = {
        "small": {"cluster": "vllm_small", "served_name": "tiny-small"},
        "large": {"cluster": "vllm_large", "served_name": "tiny-large", "fallback": "small"},
    }
    return Config.model_validate(
        {
            "version": 1,
            "listen": f"unix:{folder}/{{worker}}.sock",
            "admin": free_address(),
            "default_model": "large",
            "models": models,
            "limits": {"message_timeout_s": 5.0, "drain_s": 0.5},
            "semantic_cache": {"enabled": True, "scope": "shared"},
            "envoy": {"listen": free_address(), "admin": free_address(), "clusters": clusters},
        }
    )


async def _ready(product: Product, process: Process) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while True:
        assert process.returncode is None, product.log.read_text()
        assert time.monotonic() < give_up_s, product.log.read_text()
        try:
            async with product.session.get(f"http://{product.config.admin}/readyz") as reply:
                if reply.status == 200:
                    return
        except aiohttp.ClientError:
            pass
        await asyncio.sleep(0.1)


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
    assert {json.loads(request.body)["model"] for request in product.small.requests} == {"tiny-small"}
    assert await product.metric('fallbacks_total{fallback="small",model="large"') == 3
    product.large.health = 200
    await product.until('pool_up{cluster="vllm_large"', 1)
    status, headers, _ = await product.ask("back again")
    assert (status, headers["x-router-model"]) == (200, "large")
    await _within(lambda: len(product.logged("pool is back")) == 1)
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


async def _within(holds: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < give_up_s
        await asyncio.sleep(0.05)
