"""Ends background tasks for certain.

One cancellation is not enough: a library that waits with a limit may lose it when the limit and the
cancellation come together (asyncio.wait_for of Python 3.11 does), and the task goes on for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any, Final

#: Then a task that goes on is cancelled again, in seconds.
AGAIN_S: Final = 1.0


async def end_tasks(
    tasks: Iterable[asyncio.Task[Any]],  # Any: whatever they give
    *,
    again_s: float = AGAIN_S,
) -> None:
    """Cancel the tasks until each has ended; what they return or raise is dropped."""
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        _, pending = await asyncio.wait(pending, timeout=again_s)
