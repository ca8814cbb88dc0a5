"""The connection to Milvus: opened in the background, watched, and opened again when it breaks.

A call without a connection fails at once: no request waits for a Milvus that is down.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from pymilvus import AsyncMilvusClient

from router_extproc.cache.base import CacheRejected
from router_extproc.cache.health import BackendWatch, Operation
from router_extproc.cache.milvus.connect import CONNECT_MAX_S, connect, open_endpoint, release_lite
from router_extproc.cache.milvus.endpoint import LiteEndpoint, collection_of, endpoint_of
from router_extproc.cache.milvus.errors import FOREIGN_ERRORS, translate
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.milvus.trouble import trouble_of
from router_extproc.cancellation import end_tasks
from router_extproc.clock import Backoff, SystemClock
from router_extproc.errors import CacheError

#: How long `aclose` waits for Milvus Lite to put its memory in order on disk.
RELEASE_MAX_S = 5.0
#: Pauses between attempts.
RETRIES: Final = Backoff(first_s=0.25, max_s=5.0)
#: Calls in a row that timed out or that their callers gave up on, before the connection counts as broken.
GIVEN_UP_MAX = 5
#: What a call is counted as.
_OPERATIONS: Final[dict[str, Operation]] = {
    "get": "get",
    "search": "search",
    "put": "write",
    "announce": "write",
    "note": "write",
    "delete": "purge",
    "settle": "purge",
    "scan": "scan",
    "news": "listen",
}

T = TypeVar("T")
Pause = Callable[[float], Awaitable[None]]


class Connection:
    """Owns the client, the thread that opens it, and the task that keeps it open."""

    def __init__(
        self,
        settings: Milvus,
        *,
        dim: int,
        pause: Pause = asyncio.sleep,
        watch: BackendWatch | None = None,
    ) -> None:
        """`dim`: length of the encoder's vectors; `pause` waits between attempts."""
        self.watch: Final = watch or BackendWatch(SystemClock())
        self._settings: Final = settings
        self._endpoint: Final = endpoint_of(settings)
        self._collection: Final = collection_of(settings)
        self._dim: Final = dim
        self._pause: Final = pause
        self._client: AsyncMilvusClient | None = None
        self._broken: Final = asyncio.Event()
        self._tried: Final = asyncio.Event()
        self._given_up = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keeper: asyncio.Task[None] | None = None
        # One thread: at most one attempt is under way, also when an earlier one hangs.
        self._threads: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="milvus-open")
        #: Why there is no connection; "" when there is one.
        self.problem = "not connected yet"
        self.connects = 0

    @property
    def ready(self) -> bool:
        """True while calls can be made."""
        return self._client is not None

    async def start(self, *, wait_s: float) -> None:
        """Start connecting; returns after the first attempt, or after wait_s."""
        if self._keeper is None:
            self._loop = asyncio.get_running_loop()
            self._keeper = asyncio.create_task(self._keep(), name="milvus-link")
        try:
            async with asyncio.timeout(wait_s):
                await self._tried.wait()
        except TimeoutError:
            return

    async def aclose(self) -> None:
        """Disconnect; Milvus Lite writes its rows to disk."""
        if self._keeper is not None:
            await end_tasks([self._keeper])
            self._keeper = None
        await self._disconnect("closed")
        if isinstance(self._endpoint, LiteEndpoint):
            await self._release(self._endpoint)
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _release(self, endpoint: LiteEndpoint) -> None:
        # A daemon: when it takes longer than we wait, the process may end. What was put is in the log
        # that Milvus Lite reads at its next start.
        released = asyncio.Event()
        loop = asyncio.get_running_loop()

        def release() -> None:
            release_lite(endpoint)
            with contextlib.suppress(RuntimeError):  # the loop ended before us
                loop.call_soon_threadsafe(released.set)

        threading.Thread(target=release, name="milvus-release", daemon=True).start()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(released.wait(), RELEASE_MAX_S)

    async def call(self, operation: str, work: Callable[[AsyncMilvusClient], Awaitable[T]]) -> T:
        """The result of `work` on the client.

        Raises:
            CacheError: not connected, or Milvus failed.
            CacheRejected: Milvus will never take it.
        """
        client = self._client
        if client is None:
            raise CacheError("cache", f"milvus {operation}: {self.problem}")
        ended = self.watch.timed(_OPERATIONS.get(operation, "count"))
        try:
            result = await work(client)
        except asyncio.CancelledError:
            ended("timeout")
            raise self._cancelled(operation) from None
        except FOREIGN_ERRORS as error:
            ended(trouble_of(error))
            raise self._failed(operation, error) from error
        ended(None)
        self._given_up = 0
        return result

    def _failed(self, operation: str, error: BaseException) -> CacheError:
        translated, trouble = translate(operation, error), trouble_of(error)
        if trouble == "timeout":
            self._give_up()
        elif trouble != "full" and not isinstance(translated, CacheRejected):
            # A full disk is no matter of the connection: reads go on.
            self._broken.set()
        return translated

    def _cancelled(self, operation: str) -> BaseException:
        task = asyncio.current_task()
        if task is None or not task.cancelling():
            # Nobody cancelled us: the channel was closed under the call.
            return CacheError("cache", f"milvus {operation}: disconnected")
        self._give_up()
        return asyncio.CancelledError()

    def _give_up(self) -> None:
        self._given_up += 1
        if self._given_up >= GIVEN_UP_MAX:
            self._broken.set()

    async def _keep(self) -> None:
        waited_s = 0.0
        while True:
            try:
                await self._connect()
            except CacheError as error:
                self.problem = error.reason
                self.watch.failed(trouble_of(error), error.reason)
                self._tried.set()
                waited_s = RETRIES.after(waited_s)
                await self._pause(waited_s)
                continue
            waited_s = 0.0
            self._tried.set()
            await self._broken.wait()
            await self._disconnect("connection lost")
            self.watch.broke("unreachable", "connection lost")

    async def _connect(self) -> None:
        timeout_s = self._settings.connection.timeout
        ended = self.watch.timed("open")
        try:
            uri = await asyncio.get_running_loop().run_in_executor(self._threads, self._open, timeout_s)
        except CacheError as error:
            ended(trouble_of(error))
            raise
        ended(None)
        self._broken.clear()
        self._given_up = 0
        self._client = connect(self._endpoint, uri, timeout_s=min(timeout_s, CONNECT_MAX_S))
        self.problem = ""
        self.connects += 1
        self.watch.opened()

    def _open(self, timeout_s: float) -> str:
        return open_endpoint(
            self._endpoint,
            self._collection,
            dim=self._dim,
            timeout_s=timeout_s,
            told_aside=self._told_aside,
        )

    def _told_aside(self, folder: str, now: str) -> None:
        # From the thread that opens.
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self.watch.listener.put_aside, folder, now)

    async def _disconnect(self, problem: str) -> None:
        client, self._client = self._client, None
        self.problem = problem
        if client is not None:
            await client.close()
