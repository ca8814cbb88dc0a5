"""Endpoints that are dead, hang, die or fail: what a client sees of it, with the defaults and without."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from router_extproc.testing.pools import PoolAnswer, RecordingPool, running_pool
from router_extproc.testing.stack import Stack, free_address, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Checks that find out in a second what the defaults find out in twelve.
QUICK = {"interval_s": 0.2, "timeout_s": 1.0, "unhealthy_threshold": 2}
OFF = {"health": False, "retries": False, "outliers": False}
FIRST_BYTE_S = 2.0
#: To the small pool, and to the large one.
SMALL, LARGE = "poetry", "maths"


@dataclass(frozen=True)
class Pools:
    """A stack whose small pool is a and a dead address, and whose large pool is b and c."""

    stack: Stack
    a: RecordingPool
    b: RecordingPool
    c: RecordingPool

    async def statuses(self, prompt: str, count: int) -> Counter[int]:
        replies = [await self.stack.chat(f"{prompt} {number}") for number in range(count)]
        return Counter(reply.status for reply in replies)

    async def healthy(self, cluster: str, count: int) -> None:
        name = f"cluster.{cluster}.membership_healthy"
        await self.stack.until(lambda: self.stack.envoy.counters(name)[name] == count)

    async def checked(self, cluster: str) -> None:
        """Every endpoint was checked more often than its threshold from now on."""
        name = f"cluster.{cluster}.health_check.attempt"
        before = self.stack.envoy.counters(name)[name]
        await self.stack.until(lambda: self.stack.envoy.counters(name)[name] >= before + 8)


@asynccontextmanager
async def pools_with(folder: Any, small: dict[str, Any], large: dict[str, Any]) -> AsyncIterator[Pools]:
    async with AsyncExitStack() as opened:
        a, b, c = [await opened.enter_async_context(running_pool(name)) for name in "abc"]
        clusters = {
            "vllm_small": {"endpoints": [a.address, free_address()], **small},
            "vllm_large": {"endpoints": [b.address, c.address], **large},
        }
        stack = await opened.enter_async_context(running_stack(folder, envoy={"clusters": clusters}))
        yield Pools(stack, a, b, c)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_pools(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Pools]:
    """The small pool has retries alone, so that its dead endpoint is never found out."""
    small = {"health": False, "outliers": False}
    large = {"health": QUICK, "first_byte_timeout_s": FIRST_BYTE_S}
    async with pools_with(tmp_path_factory.mktemp("stack"), small, large) as pools:
        yield pools


@pytest_asyncio.fixture(loop_scope="module")
async def pools(module_pools: Pools) -> Pools:
    for pool in (module_pools.a, module_pools.b, module_pools.c):
        pool.reset()
    await module_pools.healthy("vllm_large", 2)
    module_pools.stack.reset()
    return module_pools


async def test_with_one_dead_endpoint_of_two_no_request_fails(pools: Pools) -> None:
    """Not one, although nothing tells Envoy that it is dead: connections are made to another endpoint."""
    assert await pools.statuses(SMALL, 60) == {200: 60}


async def test_an_upload_that_is_too_long_to_be_kept_fails_in_words_that_clients_read(pools: Pools) -> None:
    """Envoy's own answer is an empty 507. Half of these meet the dead endpoint."""
    upload = b"x" * (5 * 1024 * 1024)
    replies = [await pools.stack.send("POST", "/v1/files", data=BytesIO(upload)) for _ in range(12)]
    assert {reply.status for reply in replies} <= {200, 503}
    failed = [reply.json()["error"]["code"] for reply in replies if reply.status != 200]
    assert set(failed) <= {"pool_unavailable"}


async def test_a_request_that_a_pool_has_read_is_never_sent_again(pools: Pools) -> None:
    """It may have been generated: the client is told, and decides."""
    pools.b.dies = pools.c.dies = True
    for number in range(4):
        before = len(pools.b.requests) + len(pools.c.requests)
        reply = await pools.stack.chat(f"{LARGE} {number}")
        assert (reply.status, reply.json()["error"]["code"]) == (503, "pool_unavailable")
        assert len(pools.b.requests) + len(pools.c.requests) == before + 1


async def test_an_endpoint_that_never_answers_is_taken_out_and_comes_back(pools: Pools) -> None:
    pools.b.health = None
    await pools.healthy("vllm_large", 1)
    pools.b.requests.clear()
    assert await pools.statuses(LARGE, 40) == {200: 40}
    assert not pools.b.requests
    pools.b.health = 200
    await pools.healthy("vllm_large", 2)


async def test_until_then_a_request_waits_for_its_first_byte_and_no_longer(pools: Pools) -> None:
    """The checks pass, the requests hang: a 504 that clients can read, and not after the pause timeout."""
    pools.b.answer = pools.c.answer = PoolAnswer(delay_s=60)
    started = time.monotonic()
    reply = await pools.stack.chat(LARGE)
    assert reply.status == 504
    assert FIRST_BYTE_S <= time.monotonic() - started < 20
    assert len(pools.b.requests) + len(pools.c.requests) == 1


async def test_an_answer_that_has_begun_may_take_longer_than_its_first_byte(pools: Pools) -> None:
    pieces = tuple(f"data: {number}\n\n".encode() for number in range(4))
    pools.b.answer = pools.c.answer = PoolAnswer(pieces, "text/event-stream", pause_s=1.0)
    reply = await pools.stack.chat(LARGE)
    assert (reply.status, reply.body) == (200, b"".join(pieces))


@pytest.mark.parametrize("status", [404, 401, 302])
async def test_a_pool_without_a_health_page_is_alive(pools: Pools, status: int) -> None:
    """A default must not take away a pool that works."""
    pools.b.health = pools.c.health = status
    await pools.checked("vllm_large")
    await pools.healthy("vllm_large", 2)
    assert await pools.statuses(LARGE, 4) == {200: 4}


async def test_a_pool_whose_every_check_fails_is_a_503_that_says_when_to_come_back(pools: Pools) -> None:
    """No panic: an endpoint that is known to be down is not tried."""
    pools.b.health = pools.c.health = 503
    await pools.healthy("vllm_large", 0)
    reply = await pools.stack.chat(LARGE)
    assert (reply.status, reply.json()["error"]["code"]) == (503, "pool_unavailable")
    assert reply.headers["retry-after"] == "5"
    assert not pools.b.requests
    assert not pools.c.requests


async def test_each_endpoint_is_checked_by_its_own_name(pools: Pools) -> None:
    assert pools.b.health_host == pools.b.address


async def test_a_pools_own_503_passes_without_our_retry_after(pools: Pools) -> None:
    pools.b.answer = pools.c.answer = PoolAnswer((b'{"error": "mine"}',), status=503)
    reply = await pools.stack.chat(LARGE)
    assert (reply.status, reply.body) == (503, b'{"error": "mine"}')
    assert "retry-after" not in reply.headers


async def test_what_fails_behind_good_checks_is_avoided_but_never_the_whole_pool(pools: Pools) -> None:
    """Last: an ejection outlives its test. At most half of a pool is ejected."""
    pools.b.answer = PoolAnswer(status=503)
    await pools.statuses(LARGE, 40)
    pools.b.requests.clear()
    assert await pools.statuses(LARGE, 20) == {200: 20}
    assert not pools.b.requests
    pools.c.answer = PoolAnswer(status=503)
    pools.c.requests.clear()
    await pools.statuses(LARGE, 20)
    assert len(pools.b.requests) + len(pools.c.requests) == 20


async def test_the_only_endpoint_of_a_pool_is_never_ejected(tmp_path: Any) -> None:
    """A pool that fails is still asked: it is back with the first request that succeeds."""
    async with running_stack(tmp_path) as stack:
        stack.small.answer = PoolAnswer(status=503)
        for number in range(20):
            await stack.chat(f"{SMALL} {number}")
        assert len(stack.small.requests) == 20
        stack.small.answer = PoolAnswer()
        assert (await stack.chat(SMALL)).status == 200


async def test_without_checks_and_retries_requests_fail_and_hang(tmp_path: Any) -> None:
    """The control: what the defaults are good for."""
    async with pools_with(tmp_path, OFF, OFF) as pools:
        assert (await pools.statuses(SMALL, 40))[503] > 0
        pools.b.health = None
        asked = [_hangs(pools.stack, number) for number in range(10)]
        assert sum(await asyncio.gather(*asked)) > 0


async def _hangs(stack: Stack, number: int) -> bool:
    body = {"model": "auto", "messages": [{"role": "user", "content": f"{LARGE} {number}"}]}
    try:
        timeout = aiohttp.ClientTimeout(total=5)
        url = f"{stack.envoy.url}/v1/chat/completions"
        async with stack.session.post(url, json=body, timeout=timeout) as reply:
            return reply.status != 200
    except TimeoutError:
        return True
