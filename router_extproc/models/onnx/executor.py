"""Runs blocking model calls on a few threads of their own, and refuses more than it can finish.

A job that cannot start within its caller's time is never started. Fits `models.base.Inference`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, Lock
from types import TracebackType
from typing import Self

from router_extproc.errors import StageError, StageTimeout
from router_extproc.models.base import ResultT

STAGE = "inference"


class InferenceExecutor:
    """At most `threads` jobs run and `max_waiting` wait. Use as a context manager, or call close."""

    def __init__(self, *, threads: int = 1, max_waiting: int = 64) -> None:
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=STAGE)
        self._places = BoundedSemaphore(threads + max_waiting)
        self._threads = threads
        #: Jobs that run or wait; counted on several threads.
        self._jobs = 0
        self._counting = Lock()

    def others_wait(self) -> bool:
        """See models.base.Inference."""
        return self._jobs > self._threads

    async def run(self, job: Callable[[], ResultT], *, timeout_s: float) -> ResultT:
        """See models.base.Inference."""
        future = self._submit(job)
        try:
            async with asyncio.timeout(timeout_s) as limit:
                return await asyncio.wrap_future(future)
        except TimeoutError as error:
            if not limit.expired():
                raise
            raise StageTimeout(STAGE, f"no result within {timeout_s:.3f} s") from error

    def _submit(self, job: Callable[[], ResultT]) -> Future[ResultT]:
        """Queue the job, or raise StageError at once when every place is taken."""
        if not self._places.acquire(blocking=False):
            raise StageError(STAGE, "too many jobs wait")
        try:
            future = self._pool.submit(job)
        except RuntimeError as error:
            self._places.release()
            raise StageError(STAGE, "the executor is closed") from error
        self._count(1)
        # Called once: when the job ends, or when it is cancelled before it began.
        future.add_done_callback(self._leave)
        return future

    def _leave(self, _ended: Future[ResultT]) -> None:
        self._count(-1)
        self._places.release()

    def _count(self, more: int) -> None:
        with self._counting:
            self._jobs += more

    def close(self) -> None:
        """Drop the waiting jobs; a running one ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()
