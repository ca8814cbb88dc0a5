"""Behind a real Envoy: what pools send beside the letter of the API, and what of it the cache replays."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import openai
import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.demo_process import Demo, Reply, running_demo
from router_extproc.testing.pools import PoolAnswer, RecordingPool, running_pool

pytestmark = pytest.mark.asyncio(loop_scope="module")

MODELS = PoolAnswer((b'{"object": "list", "data": [{"id": "m"}]}',))
HEAD = {"id": "a1", "object": "chat.completion.chunk", "created": 5, "model": "m"}
SSE = "text/event-stream"
#: Longer than any test waits.
OPEN_S = 60.0


def event(**members: Any) -> bytes:
    return b"data: " + json.dumps({**HEAD, **members}).encode() + b"\n\n"


TEXT = event(
    choices=[{"index": 0, "delta": {"role": "assistant", "content": "Two arches."}, "finish_reason": None}]
)
STOP = event(choices=[{"index": 0, "delta": {}, "finish_reason": "stop"}])
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Setup:
    """A demo in front of one pool, asked by somebody who asked nothing yet."""

    demo: Demo
    pool: RecordingPool

    async def ask(self, prompt: str, **members: Any) -> Reply:
        return await asyncio.to_thread(self.demo.ask, prompt, **members)

    async def stored(self, prompt: str, **members: Any) -> None:
        await asyncio.to_thread(self.demo.wait_until_stored, prompt, **members)

    async def close_after(self, prompt: str, text: bytes) -> None:
        """Stream, and close the connection as soon as these bytes have come."""
        client = openai.AsyncOpenAI(api_key=self.demo.bearer, base_url=self.demo.url + "/v1", max_retries=0)
        message: Any = {"role": "user", "content": prompt}
        create = client.chat.completions.with_streaming_response.create
        async with client, create(model="auto", messages=[message], temperature=0.7, stream=True) as answer:
            seen = b""
            async for piece in answer.iter_bytes():
                seen += piece
                if text in seen:
                    break


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Setup]:
    async with running_pool("all") as pool:
        pool.answer = MODELS
        url, folder = f"http://{pool.address}", tmp_path_factory.mktemp("answers")
        with ExitStack() as entered:
            demo = running_demo(folder, f"small={url} large={url}")
            yield Setup(await asyncio.to_thread(entered.enter_context, demo), pool)
            await asyncio.to_thread(entered.close)


@pytest.fixture
def setup(running: Setup) -> Setup:
    running.pool.reset()
    return Setup(running.demo.as_another(), running.pool)


async def test_client_that_closes_at_the_terminal_event_leaves_a_whole_answer(setup: Setup) -> None:
    """The pool keeps the body open: what counts is that the protocol says it is over."""
    still_open = (b": still open\n\n",) * int(OPEN_S / 0.05)
    setup.pool.answer = PoolAnswer((TEXT, STOP, DONE, *still_open), SSE, pause_s=0.05)
    await setup.close_after("Name two bridges.", b"[DONE]")
    await setup.stored("Name two bridges.", stream=True)


async def test_client_that_closes_before_it_leaves_nothing(setup: Setup) -> None:
    setup.pool.answer = PoolAnswer((TEXT, b""), SSE, pause_s=OPEN_S)
    await setup.close_after("Name two canals.", b"Two arches.")
    setup.pool.answer = PoolAnswer((TEXT + STOP + DONE,), SSE)
    assert (await setup.ask("Name two canals.", stream=True)).cache == "miss"


async def test_pool_that_compresses_whatever_it_is_asked_is_cached_all_the_same(setup: Setup) -> None:
    body = gzip.compress(answer_json("A hill."))
    setup.pool.answer = PoolAnswer((body,), headers={"content-encoding": "gzip"})
    first = await setup.ask("Name a hill.", headers={"accept-encoding": "gzip, deflate"})
    assert (first.cache, first.content) == ("miss", "A hill.")
    assert setup.pool.requests[-1].headers["accept-encoding"] == "identity"
    await setup.stored("Name a hill.")
    hit = await setup.ask("Name a hill.", headers={"accept-encoding": "gzip, deflate"})
    assert (hit.cache, hit.content) == ("hit-exact", "A hill.")
    assert "content-encoding" not in hit.headers


async def test_object_is_not_made_of_a_stream_without_usage(setup: Setup) -> None:
    setup.pool.answer = PoolAnswer((TEXT + STOP + DONE,), SSE)
    await setup.ask("Name two towers.", stream=True)
    await setup.stored("Name two towers.", stream=True)
    setup.pool.answer = PoolAnswer((answer_json("Two towers."),))
    missed = await setup.ask("Name two towers.")
    assert (missed.cache, missed.usage is not None) == ("miss", True)
    await setup.stored("Name two towers.")
    asked = {"stream": True, "stream_options": {"include_usage": True}}
    hit = await setup.ask("Name two towers.", **asked)
    assert (hit.cache, hit.usage is not None) == ("hit-exact", True)


async def test_pool_says_that_its_answer_is_only_for_now(setup: Setup) -> None:
    setup.pool.answer = PoolAnswer((answer_json("Noon."),), headers={"cache-control": "no-cache, max-age=60"})
    for _ in range(2):
        assert (await setup.ask("Name an hour.")).cache == "miss"
        # Stored in order: what comes after it is there, so this one is not.
        control = PoolAnswer((answer_json("Noon."),))
        setup.pool.answer, before = control, setup.pool.answer
        await setup.ask("Name a day.")
        await setup.stored("Name a day.")
        setup.pool.answer = before
