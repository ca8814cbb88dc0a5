from __future__ import annotations

import socket

import pytest
from aiohttp import web

from router_extproc.demo.pool import DemoPool
from router_extproc.demo.pools import Pool, ask_pool, read_pools
from router_extproc.errors import ConfigError

MODELS = ("small", "large")


def test_nothing_means_no_real_pool() -> None:
    assert read_pools("", MODELS) == {}


def test_pools_are_read_by_name() -> None:
    text = "small=http://10.0.0.5:8000  large=https://pool.example/"
    assert read_pools(text, MODELS) == {"small": "http://10.0.0.5:8000", "large": "https://pool.example/"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://10.0.0.5:8000", "write NAME=URL with NAME one of small, large"),
        ("tiny=http://10.0.0.5:8000", "write NAME=URL with NAME one of small, large"),
        ("small=10.0.0.5:8000", "small: write http://HOST:PORT"),
        ("small=http://", "small: write http://HOST:PORT"),
        ("small=http://h:99999", "is not a URL"),
        ("small=http://h:8000/v1", "leave out the path"),
    ],
)
def test_what_is_no_pool_is_refused(text: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        read_pools(text, MODELS)


async def test_a_pool_is_asked_for_the_name_it_serves() -> None:
    server = DemoPool("any", "Qwen/Qwen3-4B")
    port = await server.start()
    try:
        assert await ask_pool("small", f"http://127.0.0.1:{port}/") == Pool(
            f"127.0.0.1:{port}", tls=False, served_name="Qwen/Qwen3-4B"
        )
    finally:
        await server.aclose()


async def test_a_pool_that_does_not_answer_is_named() -> None:
    with pytest.raises(ConfigError, match=r"POOLS: small: no answer from http://127\.0\.0\.1:9/v1/models"):
        await ask_pool("small", "http://127.0.0.1:9")


async def test_a_pool_that_says_nothing_is_not_waited_for() -> None:
    """It accepts the connection, and that is all."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ConfigError, match="no answer"):
        await ask_pool("small", f"http://127.0.0.1:{silent.getsockname()[1]}", within_s=0.05)


@pytest.mark.parametrize("text", ["no json", "{}", '{"data": []}', "[]"])
async def test_a_pool_without_models_is_named(text: str) -> None:
    async def models(_request: web.Request) -> web.Response:
        return web.Response(text=text)

    application = web.Application()
    application.router.add_get("/v1/models", models)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        with pytest.raises(ConfigError, match="lists no model"):
            await ask_pool("small", f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()
