"""`unread: deny`: what the server did not decide reaches no pool, whatever the reason."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest
import pytest_asyncio

from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Reply, Stack, running_stack


@pytest_asyncio.fixture
async def stack(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stack]:
    """A stack of its own for each test, with Envoy's normal patience."""
    envoy = {"unread": "deny", "profile": getattr(request, "param", "split")}
    limits = {"message_timeout_s": 0.5, "max_exchanges": 1}
    async with running_stack(tmp_path, limits=limits, envoy=envoy) as stack:
        yield stack


def check_refused(reply: Reply, stack: Stack) -> None:
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["retry-after"] == "1"
    assert reply.json()["error"]["code"] == "router_unavailable"
    assert not stack.small.requests
    assert not stack.large.requests


@pytest.mark.parametrize("stack", ["split", "inline"], indirect=True)
async def test_a_dead_server(stack: Stack) -> None:
    """Not yet noticed, and then noticed; what is no inference request still passes."""
    assert (await stack.chat("maths")).headers["x-router-model"] == "large"
    stack.reset()
    stack.worker.signal(SIGKILL)
    check_refused(await stack.chat("maths"), stack)
    await stack.until(lambda: not stack.healthy())
    check_refused(await stack.chat("maths", path="/v1/chat/completions/?a=b"), stack)
    check_refused(await stack.send("POST", "/tokenize", json={"model": "large"}), stack)
    count = await stack.send("POST", "/v1/messages/count_tokens", json={"model": "large"})
    assert (count.status, count.json()["type"]) == (503, "error")
    assert (await stack.send("GET", "/v1/models")).status == 200
    stack.small.reset()
    stack.worker.start()
    await stack.joined()
    assert (await stack.chat("maths")).headers["x-router-model"] == "large"


async def test_a_frozen_server(stack: Stack) -> None:
    stack.worker.signal(SIGSTOP)
    check_refused(await stack.chat("maths"), stack)
    await stack.until(lambda: not stack.healthy())
    check_refused(await stack.chat("maths"), stack)
    stack.worker.signal(SIGCONT)


async def test_a_server_that_is_killed_while_it_decides(stack: Stack) -> None:
    stack.worker.signal(SIGSTOP)
    asking = asyncio.create_task(stack.chat("maths"))
    await asyncio.sleep(0.2)
    stack.worker.signal(SIGKILL)
    check_refused(await asking, stack)


async def test_a_server_with_too_many_exchanges(stack: Stack) -> None:
    """It lets the rest through unread: Envoy does not."""
    stack.small.answer = PoolAnswer(delay_s=1.0)
    bodies = [f"poetry {number}" for number in range(20)]
    replies = await asyncio.gather(*(stack.chat(body) for body in bodies))
    decided = [reply for reply in replies if reply.status == 200]
    refused = [reply for reply in replies if reply.status == 503]
    assert len(decided) + len(refused) == len(bodies)
    assert refused
    assert {reply.headers.get("x-router-model") for reply in decided} == {"small"}
    assert {reply.json()["error"]["code"] for reply in refused} == {"router_unavailable"}
    assert len(stack.small.requests) == len(decided)
