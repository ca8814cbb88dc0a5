"""Several workers, each a process of its own with its own socket.

Nothing is forked after gRPC has started: each worker is a fresh interpreter. One that ends, or that gives no
sign of life any more (`process.watch`), is started again, ever more slowly; only a worker that is refused at
its first start ends them all. No worker outlives the supervisor.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import Process
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final, Protocol

from router_extproc.clock import Backoff, Clock
from router_extproc.process import hangup
from router_extproc.process.channel import WorkerChannel
from router_extproc.process.restarts import RestartCounts
from router_extproc.process.watch import BEAT_S, Patience, Silence, Watch
from router_extproc.telemetry.logging import get_logger
from router_extproc.telemetry.metrics.workers import Reason

#: Exit code of a command whose configuration was refused.
EXIT_REFUSED: Final = 2

_log = get_logger()


#: How long to wait before a worker that ended is started again.
RESTARTS: Final = Backoff(first_s=0.5, max_s=30.0)
#: A worker that lived this long is well: the wait starts from the first again.
CALM_S: Final = 60.0


def restart_wait_s(restarts: Backoff, waited_s: float, lived_s: float) -> float:
    """The next wait, after a worker that was started after `waited_s` and then lived `lived_s`."""
    return restarts.after(0.0 if lived_s >= CALM_S else waited_s)


class WorkerListener(Protocol):
    """Is told what becomes of each worker, and what it says; no method may block or raise."""

    def started(self, worker: int, channel: WorkerChannel) -> None:
        """It was started, and its document is on the way."""
        ...

    def ready(self, worker: int) -> None:
        """It serves."""
        ...

    def heard(self, worker: int, message: bytes) -> None:
        """It said more than that it lives."""
        ...

    def ended(self, worker: int) -> None:
        """It is gone; its channel takes nothing more."""
        ...


@dataclass(frozen=True, slots=True)
class Watched:
    """What workers are given, and what is asked of them in return."""

    #: Gives what is handed to a worker that starts now.
    document: Callable[[], bytes] = field(repr=False)
    patience: Patience = field(default_factory=Patience)
    counts: RestartCounts = field(default_factory=RestartCounts)
    listener: WorkerListener | None = None
    #: Called whenever one is ready.
    on_ready: Callable[[int], None] = lambda _: None
    #: Called when they are told to stop.
    on_stop: Callable[[], None] = lambda: None


@dataclass(slots=True)
class _Run:
    """One worker from its start to its end."""

    worker: int
    process: Process
    channel: WorkerChannel
    #: Why we killed it.
    killed: Reason | None = None

    def reason(self) -> Reason:
        """Why it ended, once it has."""
        if self.killed is not None:
            return self.killed
        code = self.process.returncode or 0
        if code == EXIT_REFUSED:
            return "refused"
        return "signal" if code < 0 else "exited"

    def terminate(self) -> None:
        """Ask it to drain."""
        self.channel.hang_up()
        if self.process.returncode is None:
            self.process.terminate()

    def kill(self) -> None:
        """End it now; also when it is stopped."""
        if self.process.returncode is None:
            self.process.kill()


class Supervisor:
    """Keeps workers 0 … count - 1 running. `command` gives the arguments that start one.

    A worker that has not ended `kill_after_s` after its drain is killed. Its standard input stays open
    until it is told to stop, and as long as the supervisor lives (`stop_requests`). `watched` None: nothing
    is handed over, and no sign of life is expected. `name` is what the log calls it.
    """

    def __init__(
        self,
        command: Callable[[int], Sequence[str]],
        count: int,
        *,
        drain_s: float,
        clock: Clock,
        backoff: Backoff = RESTARTS,
        kill_after_s: float = 5.0,
        name: str = "worker",
        watched: Watched | None = None,
    ) -> None:
        self._command = command
        self._count = count
        self._name = name
        self._stop_s = drain_s + kill_after_s
        self._clock = clock
        self._backoff = backoff
        self._watched = watched
        self._running: dict[int, _Run] = {}
        self._starting = asyncio.Lock()
        self._refused = False

    async def run(self, stop: asyncio.Event) -> int:
        """Until `stop` is set and every worker has ended; returns the exit code."""
        async with asyncio.TaskGroup() as tasks:
            for worker in range(self._count):
                tasks.create_task(self._keep(worker, stop))
            tasks.create_task(self._stop_all(stop))
        return EXIT_REFUSED if self._refused else 0

    def kill(self) -> None:
        """End every worker now, without a drain; for when a stop was asked for already."""
        for run in self._running.values():
            run.kill()

    async def _keep(self, worker: int, stop: asyncio.Event) -> None:
        started_s = self._clock.monotonic_s()
        first = await self._run_once(worker, stop)
        if not stop.is_set() and first.reason() == "refused":
            self._refused = True
            stop.set()
        wait_s = 0.0
        ended: _Run | None = first
        while not stop.is_set():
            wait_s = restart_wait_s(self._backoff, wait_s, self._clock.monotonic_s() - started_s)
            if ended is not None:
                self._note(ended, wait_s)
            await _wait(stop, wait_s)
            if not stop.is_set():
                started_s = self._clock.monotonic_s()
                ended = await self._run_again(worker, stop)

    def _note(self, ended: _Run, wait_s: float) -> None:
        reason, code = ended.reason(), ended.process.returncode
        if self._watched is not None:
            self._watched.counts.count(ended.worker, reason)
        _log.warning(
            f"{self._name} ended", worker=ended.worker, reason=reason, exit_code=code, restart_in_s=wait_s
        )

    async def _run_again(self, worker: int, stop: asyncio.Event) -> _Run | None:
        """None: it could not be started; a machine without memory or files takes nobody else down."""
        try:
            return await self._run_once(worker, stop)
        except OSError as error:
            _log.error(f"{self._name} could not be started", worker=worker, reason=error.strerror)
            return None

    async def _run_once(self, worker: int, stop: asyncio.Event) -> _Run:
        run = await self._start(worker)
        self._running[worker] = run
        attending = asyncio.create_task(self._attend(run, stop))
        attending.add_done_callback(partial(self._attended, worker))
        try:
            if stop.is_set():  # asked for while it was being started
                await self._end((run,))
            await run.process.wait()
        finally:
            attending.cancel()
            await asyncio.gather(attending, return_exceptions=True)
            run.channel.close()
            del self._running[worker]
            if self._listener is not None:
                self._listener.ended(worker)
        return run

    def _attended(self, worker: int, attending: asyncio.Task[None]) -> None:
        """A bug must not end the worker, but nobody would notice if it froze from now on."""
        error = None if attending.cancelled() else attending.exception()
        if error is not None:
            _log.error(f"{self._name} is not watched any more", worker=worker, error=type(error).__name__)

    @property
    def _listener(self) -> WorkerListener | None:
        return None if self._watched is None else self._watched.listener

    def _heard(self, worker: int, message: bytes) -> None:
        if self._listener is not None:
            self._listener.heard(worker, message)

    async def _start(self, worker: int) -> _Run:
        channel = WorkerChannel(partial(self._heard, worker))
        # It answers SIGHUP once it can; until then the signal waits, and kills nobody.
        # One at a time, so that each gives back the signal mask that it found.
        async with self._starting:
            try:
                with channel.theirs as theirs, hangup.held_back():
                    process = await asyncio.create_subprocess_exec(
                        *self._command(worker), stdin=theirs.fileno()
                    )
            except OSError:
                channel.close()
                raise
        return _Run(worker, process, channel)

    async def _attend(self, run: _Run, stop: asyncio.Event) -> None:
        """Hand over the document, then listen for signs of life until there is none for too long."""
        if self._watched is None:
            return
        run.channel.post(self._watched.document())
        if self._watched.listener is not None:
            self._watched.listener.started(run.worker, run.channel)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(run.channel.sending())
            tasks.create_task(self._listen(run, stop, self._watched))

    async def _listen(self, run: _Run, stop: asyncio.Event, watched: Watched) -> None:
        watch, found = Watch(self._clock, watched.patience), Silence.ACCEPTED
        while found is Silence.ACCEPTED:
            was_ready = watch.is_ready
            found = watch.look(heard=await run.channel.heard(BEAT_S))
            if watch.is_ready and not was_ready:
                watched.on_ready(run.worker)
                if watched.listener is not None:
                    watched.listener.ready(run.worker)
            if stop.is_set():  # it drains, and `_stop_all` has the time
                return
        run.killed = "frozen" if found is Silence.FROZEN else "never_ready"
        _log.warning(
            f"{self._name} gives no sign of life and is killed",
            worker=run.worker,
            pid=run.process.pid,
            silent_s=round(watch.silent_s, 1),
        )
        run.kill()

    async def _stop_all(self, stop: asyncio.Event) -> None:
        await stop.wait()
        if self._watched is not None:
            self._watched.on_stop()
        await self._end(tuple(self._running.values()))

    async def _end(self, runs: Sequence[_Run]) -> None:
        """Ask these workers to drain; kill those that do not end in time."""
        for run in runs:
            run.terminate()
        try:
            async with asyncio.timeout(self._stop_s):
                for run in runs:
                    await run.process.wait()
        except TimeoutError:
            for run in runs:
                if run.process.returncode is None:
                    _log.error(f"{self._name} did not end and was killed", pid=run.process.pid)
                    run.kill()


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    """Until `stop` is set, or for so long."""
    try:
        async with asyncio.timeout(seconds):
            await stop.wait()
    except TimeoutError:
        return
