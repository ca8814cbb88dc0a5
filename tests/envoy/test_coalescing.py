"""Equal requests at the same time, through a real Envoy: one reaches the pool."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.router import WAITERS_MAX
from router_extproc.testing.stack import PATH, Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

CLIENTS = 1 + WAITERS_MAX
FOLLOWERS = 3


def decided(stack: Stack) -> int:
    """Requests that the worker has read."""
    return sum(event["event"] == "request body" for event in stack.worker.events())


async def test_equal_requests_reach_the_pool_once(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((answer_json("Shared."),), delay_s=1.0)
    replies = await asyncio.gather(*(stack.chat("equal, please") for _ in range(CLIENTS)))
    assert {reply.status for reply in replies} == {200}
    assert {reply.json()["choices"][0]["message"]["content"] for reply in replies} == {"Shared."}
    caches = Counter(reply.headers["x-router-cache"] for reply in replies)
    assert caches == {"miss": 1, "hit-exact": CLIENTS - 1}
    assert len(stack.small.requests) == 1


async def test_envoy_takes_the_longer_wait(stack: Stack) -> None:
    """Longer than its message_timeout, which would send the request on, unread, to the default pool."""
    waited_s = stack.config.limits.message_timeout_s + 0.5
    stack.small.answer = PoolAnswer((answer_json("Late."),), delay_s=waited_s)
    replies = await asyncio.gather(*(stack.chat("late, please") for _ in range(2)))
    assert [reply.headers.get("x-router-decision") for reply in replies] == ["default", "default"]
    assert len(stack.small.requests) == 1
    counters = stack.envoy.counters("ext_proc")
    ignored = [
        name
        for name, count in counters.items()
        if count and name.endswith(("spurious_msgs_received", "ignored"))
    ]
    assert not ignored


async def test_a_client_that_leaves_before_the_answer_lets_the_others_go_on(stack: Stack) -> None:
    stack.small.answer = PoolAnswer(delay_s=4.0)
    first = asyncio.create_task(stack.chat("leave, please"))
    await stack.until(lambda: len(stack.small.requests) == 1)
    others = [asyncio.create_task(stack.chat("leave, please")) for _ in range(FOLLOWERS)]
    await stack.until(lambda: decided(stack) == 1 + FOLLOWERS)
    stack.small.answer = PoolAnswer((answer_json(),))
    first.cancel()
    replies = await asyncio.gather(*others)
    assert {reply.status for reply in replies} == {200}
    assert {reply.headers["x-router-cache"] for reply in replies} == {"miss"}
    assert len(stack.small.requests) == 1 + FOLLOWERS


async def test_an_answer_that_fails_lets_the_others_go_on(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((b"{}",), status=500, delay_s=1.0)
    first = asyncio.create_task(stack.chat("fail, please"))
    await stack.until(lambda: len(stack.small.requests) == 1)
    others = [asyncio.create_task(stack.chat("fail, please")) for _ in range(FOLLOWERS)]
    await stack.until(lambda: decided(stack) == 1 + FOLLOWERS)
    stack.small.answer = PoolAnswer((answer_json(),))
    assert (await first).status == 500
    assert {reply.status for reply in await asyncio.gather(*others)} == {200}
    assert len(stack.small.requests) == 1 + FOLLOWERS


async def test_a_client_that_stops_waiting_is_forgotten(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((answer_json(),), delay_s=1.5)
    first = asyncio.create_task(stack.chat("forget, please"))
    await stack.until(lambda: len(stack.small.requests) == 1)
    gone = asyncio.create_task(stack.chat("forget, please"))
    await stack.until(lambda: decided(stack) == 2)
    gone.cancel()
    await stack.until(lambda: any(event.get("clean") is False for event in stack.worker.events()))
    assert (await first).status == 200


async def test_a_stream_does_not_wait_for_another_to_end(stack: Stack) -> None:
    body = {"model": "auto", "messages": [{"role": "user", "content": "stream, please"}], "stream": True}
    stack.small.answer = PoolAnswer((b"data: {}\n\n",) * 4, "text/event-stream", pause_s=1.0)
    first = asyncio.create_task(stack.send("POST", PATH, json=body))
    await stack.until(lambda: len(stack.small.requests) == 1)
    second = asyncio.create_task(stack.send("POST", PATH, json=body))
    await stack.until(lambda: len(stack.small.requests) == 2)
    assert not first.done()
    assert {reply.status for reply in await asyncio.gather(first, second)} == {200}
