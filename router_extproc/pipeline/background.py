"""Background tasks: work that no request waits for, done one after the other.

A full queue drops what is new and counts it. A task that fails or takes too long is counted and dropped.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final, Literal, Self

from router_extproc.cancellation import end_tasks
from router_extproc.clock import Budget, Clock
from router_extproc.pipeline.stages import run_stage

#: Tasks that may wait.
TASKS_MAX: Final = 256
#: Seconds that one of them may take.
TASK_S: Final = 10.0

Outcome = Literal["done", "failed", "dropped"]


class BackgroundTasks:
    """A queue and its single worker; an async context manager, inside which the work is done."""

    def __init__(self, clock: Clock, *, tasks_max: int = TASKS_MAX, task_s: float = TASK_S) -> None:
        """`tasks_max`: tasks that may wait; `task_s`: seconds that one of them may take."""
        self._task_s: Final = task_s
        self._clock: Final = clock
        self._queue: Final[asyncio.Queue[Callable[[], Awaitable[bool]]]] = asyncio.Queue(tasks_max)
        self._task: asyncio.Task[None] | None = None
        self._counters: Final[Counter[Outcome]] = Counter()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="background-tasks")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            await end_tasks([self._task])

    def offer(self, task: Callable[[], Awaitable[bool]]) -> bool:
        """Do it soon; its result says whether it did what it was for. False: it was dropped."""
        try:
            self._queue.put_nowait(task)
        except asyncio.QueueFull:
            self.drop()
            return False
        return True

    def drop(self) -> None:
        """Count a task that there is no room for."""
        self._counters["dropped"] += 1

    def counts(self) -> dict[str, int]:
        """How many tasks ended with each outcome."""
        return {str(outcome): count for outcome, count in self._counters.items()}

    async def finish(self) -> None:
        """Do all that waits."""
        while not self._queue.empty():
            await self._work()

    async def _run(self) -> None:
        while True:
            await self._work()

    async def _work(self) -> None:
        task = await self._queue.get()
        result = await run_stage("background", task(), Budget.of(self._clock, self._task_s))
        self._counters["done" if result.value else "failed"] += 1
