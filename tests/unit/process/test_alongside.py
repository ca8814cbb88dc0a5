"""Work beside a block: it ends with the block, and the block with it."""

from __future__ import annotations

import asyncio

import pytest

from router_extproc.process.alongside import alongside


class OddError(Exception):
    """Of this test."""


async def fail() -> None:
    raise OddError("work") from KeyError("cause")


async def never() -> None:
    await asyncio.Event().wait()


async def test_work_that_fails_ends_the_block_with_its_error_as_raised() -> None:
    """Nobody would notice a worker that has stopped to ask its pools."""
    with pytest.raises(OddError, match="work") as raised:
        async with alongside(never(), fail()):
            await asyncio.Event().wait()
    assert isinstance(raised.value.__cause__, KeyError)


async def test_an_error_of_the_block_comes_out_as_raised() -> None:
    with pytest.raises(OddError, match="block") as raised:
        async with alongside(never()):
            raise OddError("block") from KeyError("cause")
    assert isinstance(raised.value.__cause__, KeyError)


async def test_work_ends_with_the_block() -> None:
    ended = asyncio.Event()

    async def work() -> None:
        try:
            await never()
        finally:
            ended.set()

    async with alongside(work()):
        await asyncio.sleep(0)
    assert ended.is_set()
