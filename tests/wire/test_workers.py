"""The supervisor, over small commands in place of workers."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from router_extproc.clock import SystemClock
from router_extproc.server.serve import stop_requests
from router_extproc.server.workers import EXIT_REFUSED, BackOff, Supervisor

PATIENCE_S = 20
#: Says that it is there, then waits to be told to stop.
WAITS = "import pathlib, signal, sys; pathlib.Path(sys.argv[1]).open('a').write('x'); signal.pause()"
FAST = BackOff(first_s=0.01, max_s=0.02)


def python(code: str, folder: Path) -> Callable[[int], Sequence[str]]:
    """A worker that runs `code` with a file of its own as the first argument."""
    return lambda worker: (sys.executable, "-I", "-S", "-c", code, str(folder / str(worker)))


def supervisor(
    command: Callable[[int], Sequence[str]], count: int = 1, back_off: BackOff = FAST
) -> Supervisor:
    return Supervisor(command, count, drain_s=0, clock=SystemClock(), back_off=back_off, kill_after_s=0.1)


async def marks(folder: Path, worker: int, count: int) -> None:
    """Until the worker has started so many times."""
    file = folder / str(worker)
    async with asyncio.timeout(PATIENCE_S):
        while not file.exists() or len(file.read_text()) < count:  # noqa: ASYNC110 - another process tells
            await asyncio.sleep(0.01)


async def test_every_worker_runs_until_it_is_stopped(tmp_path: Path) -> None:
    stop = asyncio.Event()
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor(python(WAITS, tmp_path), 2).run(stop))
        await marks(tmp_path, 0, 1)
        await marks(tmp_path, 1, 1)
        stop.set()
    assert running.result() == 0


async def test_a_crashed_worker_comes_back(tmp_path: Path) -> None:
    stop = asyncio.Event()
    crashes = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x'); sys.exit(1)"
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor(python(crashes, tmp_path)).run(stop))
        await marks(tmp_path, 0, 3)
        stop.set()
    assert running.result() == 0


async def test_a_refused_configuration_stops_every_worker(tmp_path: Path) -> None:
    """A port in use does not heal by trying again; the operator must hear of it."""
    refuses = f"import sys, signal; sys.exit({EXIT_REFUSED}) if sys.argv[1].endswith('0') else signal.pause()"
    async with asyncio.timeout(PATIENCE_S):
        assert await supervisor(python(refuses, tmp_path), 2).run(asyncio.Event()) == EXIT_REFUSED


async def test_a_worker_that_does_not_end_is_killed(tmp_path: Path) -> None:
    stop = asyncio.Event()
    deaf = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + WAITS
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor(python(deaf, tmp_path)).run(stop))
        await marks(tmp_path, 0, 1)
        stop.set()


async def test_a_stop_during_the_back_off_is_heard(tmp_path: Path) -> None:
    stop = asyncio.Event()
    crashes = "import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x'); sys.exit(1)"
    slow = BackOff(first_s=1000, max_s=1000)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor(python(crashes, tmp_path), back_off=slow).run(stop))
        await marks(tmp_path, 0, 1)
        stop.set()


async def test_a_workers_input_ends_with_its_supervisor(tmp_path: Path) -> None:
    """So that no worker outlives a supervisor that was killed, and keeps its port."""
    code = (
        "import asyncio, sys, pathlib\n"
        "sys.path.insert(0, sys.argv[2])\n"
        "from router_extproc.server.serve import stop_requests\n"
        "async def main():\n"
        "    async with stop_requests(with_parent=True) as stop:\n"
        "        pathlib.Path(sys.argv[1]).write_text('x')\n"
        "        await stop.wait()\n"
        "asyncio.run(main())\n"
    )
    root = str(Path(__file__).parents[3])
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, str(tmp_path / "0"), root, stdin=asyncio.subprocess.PIPE
    )
    await marks(tmp_path, 0, 1)
    assert worker.stdin is not None
    worker.stdin.close()
    assert await asyncio.wait_for(worker.wait(), PATIENCE_S) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_both_signals_ask_to_stop(number: signal.Signals) -> None:
    async with stop_requests() as stop:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), PATIENCE_S)


def test_the_wait_doubles_up_to_its_bound() -> None:
    back_off = BackOff(first_s=1, max_s=5, calm_s=60)
    waits = [0.0]
    for _ in range(4):
        waits.append(back_off.after(waits[-1], lived_s=0))
    assert waits[1:] == [1, 2, 4, 5]


def test_a_worker_that_lived_long_starts_from_the_shortest_wait() -> None:
    assert BackOff(first_s=1, max_s=5, calm_s=60).after(5, lived_s=60) == 1
