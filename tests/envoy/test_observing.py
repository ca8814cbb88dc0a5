"""The observer sees answers as they pass, and delays nobody."""

from __future__ import annotations

import asyncio
import json
import time

import aiohttp
import pytest

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = tuple(f'data: {{"i": {number}, "text": "é\\n  x"}}\n\n'.encode() for number in range(5))
STREAMED = PoolAnswer(EVENTS, "text/event-stream", pause_s=0.1)


def chunks(stack: Stack) -> list[dict[str, object]]:
    return [event for event in stack.observed() if event["event"] == "answer chunk"]


async def test_the_observer_gets_the_token_and_every_chunk(stack: Stack) -> None:
    stack.small.answer = STREAMED
    reply = await stack.chat("poetry")
    await stack.until(stack.observer_closed)
    (headers,) = [event for event in stack.observed() if event["event"] == "answer headers"]
    assert headers["token"] is True
    assert headers["status"] == 200
    assert "".join(str(event["body"]) for event in chunks(stack)).encode() == reply.body == b"".join(EVENTS)
    assert [event["last"] for event in chunks(stack)][-1] is True


async def test_the_observers_stream_ends_with_the_answer(stack: Stack) -> None:
    """Left to Envoy it would stay for deferred_close_timeout, five streams to each request a second."""
    await stack.chat("poetry")
    started = time.monotonic()
    await stack.until(stack.observer_closed)
    assert time.monotonic() - started < 2
    (closed,) = [event for event in stack.observed() if event["event"] == "closed"]
    assert closed["outcome"] == "done"


async def test_the_first_byte_of_a_stream_is_not_delayed(stack: Stack) -> None:
    """Each event must pass when it is written, not when the answer is complete."""
    stack.small.answer = STREAMED
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "poetry"}]}
    async with stack.session.post(f"{stack.envoy.url}/v1/chat/completions", json=body) as response:
        arrivals = [time.monotonic() async for _ in response.content.iter_any()]
    assert arrivals[-1] - arrivals[0] > 0.2


async def test_a_client_that_hangs_up_leaves_no_end_of_stream(stack: Stack) -> None:
    """Half an answer must never be stored."""
    stack.small.answer = STREAMED
    body = {"model": "auto", "stream": True, "messages": [{"role": "user", "content": "poetry"}]}
    async with aiohttp.ClientSession() as session:
        response = await session.post(f"{stack.envoy.url}/v1/chat/completions", json=body)
        await response.content.readany()
        response.close()
    await stack.until(stack.observer_closed, within_s=15)
    assert not [event for event in chunks(stack) if event["last"]]
    (over,) = [event for event in stack.observed() if event["event"] == "over"]
    assert over["clean"] is False


async def test_a_stored_answer_is_replayed_and_its_replay_is_not_observed(stack: Stack) -> None:
    stack.small.answer.pieces = (answer_json("Roses are red."),)
    first = await stack.chat("A poem about roses")
    assert first.headers["x-router-cache"] == "miss"
    await stack.until(stack.observer_closed)
    stack.reset()
    second = await stack.chat("A poem about roses")
    assert second.headers["x-router-cache"] == "hit-exact"
    assert second.headers["x-router-model"] == "small"
    assert second.headers["age"] == "0"
    assert json.loads(second.body)["choices"][0]["message"]["content"] == "Roses are red."
    assert not stack.small.requests
    await asyncio.sleep(0.3)
    assert not stack.observed()


async def test_answers_that_nobody_decided_about_are_not_observed(stack: Stack) -> None:
    await stack.send("GET", "/v1/files")
    await asyncio.sleep(0.3)
    assert not stack.observed()
