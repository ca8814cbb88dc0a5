"""Inputs of embeddings that one worker has stored are found by another one, on every backend."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from router_extproc.cache.base import CacheBackend
from router_extproc.protocol.messages import ImmediateResponse
from router_extproc.testing.client import Client
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.router import fake_router
from tests.contract.conftest import OpenBackend

pytestmark = pytest.mark.asyncio

PATH = "/v1/embeddings"
TRIES = 200


@asynccontextmanager
async def worker(backend: CacheBackend, clock: ManualClock) -> AsyncIterator[Client]:
    """With a near tier of its own."""
    router = fake_router(backend=backend, clock=clock)
    async with router.cache:
        yield Client(router)


def answer(*numbers: float) -> bytes:
    data = [{"object": "embedding", "index": at, "embedding": [number]} for at, number in enumerate(numbers)]
    usage = {"prompt_tokens": len(numbers), "total_tokens": len(numbers)}
    return json.dumps({"object": "list", "data": data, "model": "m", "usage": usage}).encode()


async def test_inputs_of_two_batches_answer_a_third(open_backend: OpenBackend) -> None:
    clock = ManualClock()
    async with open_backend(clock, FakeEncoder().dim) as backend:
        async with worker(backend, clock) as first:
            for inputs, numbers in ((["a", "b", "c"], (1.0, 2.0, 3.0)), ([[5], [6], [7]], (5.0, 6.0, 7.0))):
                sent = await first.send({"model": "auto", "input": inputs}, path=PATH)
                first.answer(sent, answer(*numbers))
        asked = {"model": "auto", "input": [[7], "c", "a", [5], "b", [6], "c"]}
        async with worker(backend, clock) as second:
            for _ in range(TRIES):
                sent = await second.send(asked, path=PATH)
                if isinstance(sent.to_body, ImmediateResponse):
                    break
                # A server shows what was written a moment later.
                await asyncio.sleep(0.05)
            document = json.loads(sent.immediate.body)
            assert [each["embedding"] for each in document["data"]] == [
                [7.0], [3.0], [1.0], [5.0], [2.0], [6.0], [3.0],
            ]  # fmt: skip
            assert document["usage"]["prompt_tokens"] == 7
            unknown = await second.send({"model": "auto", "input": ["a", "new"]}, path=PATH)
            assert unknown.cache == "miss"
