"""A server that is away costs nobody a request, and is used again without touching Envoy."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import aiohttp
import pytest
import pytest_asyncio

from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import JOIN_S, Reply, Stack, free_address, running_stack

#: No pause of an answer may be longer; a frozen server's connection is cut within two seconds.
LONGEST_PAUSE_S = 6.0


@pytest_asyncio.fixture
async def stack(tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack of its own for each test, with Envoy's normal patience."""
    async with running_stack(tmp_path, limits={"message_timeout_s": 0.5}) as stack:
        yield stack


def check_default(reply: Reply, stack: Stack) -> None:
    """The default pool answered, and the client is told nothing about routing."""
    assert reply.status == 200
    assert stack.small.requests
    assert not stack.large.requests
    assert not [name for name in reply.headers if name.startswith("x-router-")]


async def rejoin(stack: Stack) -> None:
    """Nothing is lost on the way back, and in the end the router decides again."""
    give_up_s = time.monotonic() + JOIN_S
    reply = await stack.chat("maths")
    while "x-router-model" not in reply.headers:
        assert reply.status == 200
        assert time.monotonic() < give_up_s
        await asyncio.sleep(0.1)
        reply = await stack.chat("maths")
    assert reply.headers["x-router-model"] == "large"


async def test_killed_before_a_request(stack: Stack) -> None:
    stack.worker.signal(SIGKILL)
    check_default(await stack.chat("maths"), stack)
    stack.worker.start()
    await rejoin(stack)


async def test_absent_requests_are_not_slowed_down(stack: Stack) -> None:
    stack.worker.signal(SIGKILL)
    await stack.until(lambda: not stack.healthy())
    started = time.monotonic()
    for _ in range(20):
        check_default(await stack.chat("maths"), stack)
    assert (time.monotonic() - started) / 20 < 0.1


async def test_killed_while_it_decides(stack: Stack) -> None:
    """Stopped first, so that the request is surely under way."""
    stack.worker.signal(SIGSTOP)
    asking = asyncio.create_task(stack.chat("maths"))
    await asyncio.sleep(0.2)
    stack.worker.signal(SIGKILL)
    check_default(await asking, stack)
    stack.worker.start()
    await rejoin(stack)


async def test_stopped_it_costs_the_message_timeout_and_then_nothing(stack: Stack) -> None:
    stack.worker.signal(SIGSTOP)
    started = time.monotonic()
    check_default(await stack.chat("maths"), stack)
    assert time.monotonic() - started < 2
    await stack.until(lambda: not stack.healthy())
    started = time.monotonic()
    check_default(await stack.chat("maths"), stack)
    assert time.monotonic() - started < 0.3
    stack.worker.signal(SIGCONT)
    await rejoin(stack)


@pytest.mark.parametrize("number", [SIGKILL, SIGSTOP])
async def test_lost_in_the_middle_of_an_answer(stack: Stack, number: int) -> None:
    """A long answer, because Envoy holds back what a frozen observer does not read."""
    piece = b"data: " + b"x" * 100_000 + b"\n\n"
    stack.small.answer = PoolAnswer((piece,) * 200, "text/event-stream", pause_s=0.005)
    longest, received = await _read_slowly(stack, lambda: stack.worker.signal(number))
    assert received == piece * 200
    assert longest < LONGEST_PAUSE_S
    stack.worker.signal(SIGCONT) if number == SIGSTOP else stack.worker.start()
    await rejoin(stack)


async def _read_slowly(stack: Stack, midway) -> tuple[float, bytes]:  # noqa: ANN001 - a callback
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "poetry"}]}
    received, longest, last = b"", 0.0, time.monotonic()
    patience = aiohttp.ClientTimeout(total=JOIN_S)
    url = f"{stack.envoy.url}/v1/chat/completions"
    async with stack.session.post(url, json=body, timeout=patience) as response:
        async for piece in response.content.iter_any():
            now = time.monotonic()
            longest, last = max(longest, now - last), now
            before, received = len(received), received + piece
            if before < 1_000_000 <= len(received):
                midway()
    return longest, received


async def test_one_of_two_workers_gone_is_not_noticed(tmp_path: Path) -> None:
    """Not even before the health check finds out: a refused connection is tried at the other one."""
    async with running_stack(tmp_path, workers=2) as stack:
        stack.workers[0].signal(SIGKILL)
        replies = [await stack.chat("maths") for _ in range(50)]
        assert {reply.headers.get("x-router-model") for reply in replies} == {"large"}


async def test_a_server_on_tcp_that_comes_after_envoy_is_found(tmp_path: Path) -> None:
    async with running_stack(tmp_path, listen=free_address()) as stack:
        await rejoin(stack)
