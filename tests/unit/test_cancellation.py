"""Background tasks end, also one that lost its first cancellation."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from router_extproc.cancellation import end_tasks


async def test_tasks_end() -> None:
    tasks = [asyncio.create_task(asyncio.sleep(3600)) for _ in range(2)]
    await end_tasks(tasks)
    assert all(task.cancelled() for task in tasks)


async def test_a_task_that_lost_its_cancellation_is_cancelled_again() -> None:
    """As behind a library whose own wait swallowed it."""

    async def loses_one() -> None:
        with suppress(asyncio.CancelledError):
            await asyncio.sleep(3600)
        await asyncio.sleep(3600)

    task = asyncio.create_task(loses_one())
    await asyncio.sleep(0)
    async with asyncio.timeout(10):
        await end_tasks([task], again_s=0.01)
    assert task.cancelled()


async def test_no_task_is_nothing_to_wait_for() -> None:
    await end_tasks(())


async def test_a_task_that_fails_while_it_ends_is_ended() -> None:
    async def fails() -> None:
        try:
            await asyncio.sleep(3600)
        finally:
            raise ValueError

    task = asyncio.create_task(fails())
    await asyncio.sleep(0)
    await end_tasks([task])
    assert isinstance(task.exception(), ValueError)
