"""Work that runs beside a block of code, for as long as the block does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager


@asynccontextmanager
async def alongside(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Run all of this inside the block. Work that fails ends the block; its error comes out as raised."""
    try:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(work) for work in works]
            try:
                yield
            finally:
                for task in running:
                    task.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        # Whoever names an error to a user (a port that is in use) knows no groups.
        (error,) = group.exceptions
        raise error from error.__cause__
