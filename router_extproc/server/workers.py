"""Several workers, each a process of its own with its own socket.

It does not serve; it starts the commands that do. The rules it keeps: nothing is forked after gRPC
has started (each worker is a fresh interpreter); a crashed worker comes back, ever more slowly; one
that refuses its configuration is not tried again; no worker outlives the supervisor.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from router_extproc.clock import Clock

#: Exit code of a command whose configuration was refused.
EXIT_REFUSED: Final = 2

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class BackOff:
    """How long to wait before a crashed worker is started again; doubles each time."""

    first_s: float = 0.5
    max_s: float = 30.0
    #: A worker that lived this long is well: the wait starts from first_s again.
    calm_s: float = 60.0

    def after(self, wait_s: float, lived_s: float) -> float:
        """The next wait, after a worker that came back after `wait_s` and then lived `lived_s`."""
        if lived_s >= self.calm_s or not wait_s:
            return self.first_s
        return min(2 * wait_s, self.max_s)


class Supervisor:
    """Keeps workers 0 … count - 1 running. `command` gives the arguments that start one.

    A worker that has not ended `kill_after_s` after its drain is killed. Its standard input stays open
    until it is told to stop, and as long as the supervisor lives (`stop_requests`). `name` is what the
    log calls it.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        count: int,
        *,
        drain_s: float,
        clock: Clock,
        back_off: BackOff | None = None,
        kill_after_s: float = 5.0,
        name: str = "worker",
    ) -> None:
        self._command = command
        self._count = count
        self._name = name
        self._stop_s = drain_s + kill_after_s
        self._clock = clock
        self._back_off = back_off or BackOff()
        self._running: dict[int, Process] = {}
        self._refused = False

    async def run(self, stop: asyncio.Event) -> int:
        """Until `stop` is set and every worker has ended; returns the exit code."""
        async with asyncio.TaskGroup() as tasks:
            for worker in range(self._count):
                tasks.create_task(self._keep(worker, stop))
            tasks.create_task(self._stop_all(stop))
        return EXIT_REFUSED if self._refused else 0

    async def _keep(self, worker: int, stop: asyncio.Event) -> None:
        wait_s = 0.0
        while not stop.is_set():
            started_s = self._clock.monotonic_s()
            code = await self._run_once(worker, stop)
            if stop.is_set():
                return
            if code == EXIT_REFUSED:
                self._refused = True
                stop.set()
                return
            wait_s = self._back_off.after(wait_s, self._clock.monotonic_s() - started_s)
            _log.warning(f"{self._name} ended", worker=worker, exit_code=code, restart_in_s=wait_s)
            await _wait(stop, wait_s)

    async def _run_once(self, worker: int, stop: asyncio.Event) -> int:
        process = await asyncio.create_subprocess_exec(*self._command(worker), stdin=asyncio.subprocess.PIPE)
        self._running[worker] = process
        if stop.is_set():  # asked for while it was being started
            _terminate(process)
        try:
            return await process.wait()
        finally:
            del self._running[worker]

    async def _stop_all(self, stop: asyncio.Event) -> None:
        """Ask every worker to drain; kill those that do not end in time."""
        await stop.wait()
        processes = tuple(self._running.values())
        for process in processes:
            _terminate(process)
        try:
            async with asyncio.timeout(self._stop_s):
                for process in processes:
                    await process.wait()
        except TimeoutError:
            for process in processes:
                if process.returncode is None:
                    _log.error(f"{self._name} did not end and was killed", pid=process.pid)
                    process.kill()


def _terminate(process: Process) -> None:
    if process.stdin is not None:
        process.stdin.close()
    if process.returncode is None:
        process.terminate()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Until `stop` is set, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
