"""What one worker hears of another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from router_extproc.admin.peers import ANSWER_BYTES_MAX, Peers, socket_of

PIECE = b"x" * 65_536


@asynccontextmanager
async def answering(folder: Path, pieces: int) -> AsyncIterator[Peers]:
    async def metrics(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(pieces):
            await response.write(PIECE)
        return response

    application = web.Application()
    application.router.add_get("/metrics", metrics)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.UnixSite(runner, str(socket_of(folder, 1))).start()
    try:
        yield Peers({1: socket_of(folder, 1)})
    finally:
        await runner.cleanup()


async def test_an_answer_in_pieces_is_read_to_its_end(tmp_path: Path) -> None:
    async with answering(tmp_path, 16) as peers:
        assert await peers.metrics() == {1: 16 * PIECE}


@pytest.mark.parametrize("pieces", [ANSWER_BYTES_MAX // len(PIECE) + 1])
async def test_an_answer_that_is_too_large_is_none(tmp_path: Path, pieces: int) -> None:
    async with answering(tmp_path, pieces) as peers:
        assert await peers.metrics() == {1: None}


async def test_a_worker_that_is_not_there_answers_nothing(tmp_path: Path) -> None:
    assert await Peers({1: socket_of(tmp_path, 1)}).metrics() == {1: None}
