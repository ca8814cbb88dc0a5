"""The supervisor, over small commands in place of workers."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from router_extproc.clock import Backoff, SystemClock
from router_extproc.process import hangup
from router_extproc.process.channel import UNHEARD_MAX, WorkerChannel
from router_extproc.process.frames import EMPTY, framed
from router_extproc.process.restarts import RestartCounts
from router_extproc.process.stop_requests import stop_requests
from router_extproc.process.supervisor import CALM_S, EXIT_REFUSED, Supervisor, Watched, restart_wait_s
from router_extproc.process.watch import Patience
from router_extproc.testing.processes import start_process_async

PATIENCE_S = 20
#: Says that it is there, then waits to be told to stop.
WAITS = "import pathlib, signal, sys; pathlib.Path(sys.argv[1]).open('a').write('x'); signal.pause()"
FAST = Backoff(first_s=0.01, max_s=0.02)


def python(code: str, folder: Path) -> Callable[[int], Sequence[str]]:
    """A worker that runs `code` with a file of its own as the first argument."""
    return lambda worker: (sys.executable, "-I", "-S", "-c", code, str(folder / str(worker)))


def supervisor(
    command: Callable[[int], Sequence[str]], count: int = 1, backoff: Backoff = FAST
) -> Supervisor:
    return Supervisor(command, count, drain_s=0, clock=SystemClock(), backoff=backoff, kill_after_s=0.1)


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
    slow = Backoff(first_s=1000, max_s=1000)
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor(python(crashes, tmp_path), backoff=slow).run(stop))
        await marks(tmp_path, 0, 1)
        stop.set()


#: Waits to be told to stop, and hears no message.
HEARS_NOTHING = """
import asyncio, sys, pathlib
sys.path.insert(0, sys.argv[2])
from router_extproc.process.channel import SupervisorChannel
async def main():
    stop = asyncio.Event()
    async with SupervisorChannel().open(stop, asyncio.Event()):
        pathlib.Path(sys.argv[1]).write_text('x')
        await stop.wait()
asyncio.run(main())
"""


@asynccontextmanager
async def hearing_nothing(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, socket.socket]]:
    """A worker that has just started, and the supervisor's end of its channel."""
    root = str(Path(__file__).parents[3])
    ours, theirs = socket.socketpair()
    with ours, theirs:
        worker = await start_process_async(
            sys.executable, "-c", HEARS_NOTHING, str(folder / "0"), root, stdin=theirs.fileno()
        )
        await marks(folder, 0, 1)
        theirs.close()
        yield worker, ours


async def test_a_workers_input_ends_with_its_supervisor(tmp_path: Path) -> None:
    """So that no worker outlives a supervisor that was killed, and keeps its port."""
    async with hearing_nothing(tmp_path) as (worker, supervisors_end):
        supervisors_end.close()
        assert await asyncio.wait_for(worker.wait(), PATIENCE_S) == 0


async def test_a_worker_for_which_too_many_messages_wait_ends(tmp_path: Path) -> None:
    """It starts, and every reload meanwhile has a whole configuration for it."""
    async with hearing_nothing(tmp_path) as (worker, supervisors_end):
        supervisors_end.sendall(framed(b"{}") * UNHEARD_MAX)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(worker.wait(), 0.3)
        supervisors_end.sendall(framed(b"{}"))
        assert await asyncio.wait_for(worker.wait(), PATIENCE_S) == 0


# ── signs of life ─────────────────────────────────────────────────────────────────────────────

#: Takes its document, writes it behind its mark, and then shows signs of life as argv[3] says.
WATCHED = """
import asyncio, pathlib, sys, time
sys.path[:0] = sys.argv[2].split(":")
from router_extproc.process.channel import SupervisorChannel, take_document
document = take_document().decode()
pathlib.Path(sys.argv[1]).open("a").write(document)
async def main():
    ready = asyncio.Event()
    async with SupervisorChannel().open(asyncio.Event(), ready):
        if sys.argv[3] != "never ready":
            ready.set()
        await asyncio.sleep(0.2)
        if sys.argv[3] == "blocked":
            time.sleep(1000)
        await asyncio.sleep(1000)
asyncio.run(main())
"""
HASTY = Patience(start_s=2.5, silent_s=2.5)


def watched(folder: Path, behaviour: str) -> Callable[[int], Sequence[str]]:
    """A worker that is alive, blocked or never ready."""
    roots = ":".join((str(Path(__file__).parents[2]), *sys.path))
    return lambda worker: (sys.executable, "-c", WATCHED, str(folder / str(worker)), roots, behaviour)


async def restarted(folder: Path, behaviour: str, patience: Patience) -> dict[int, dict[str, int]]:
    """Why it was started again, once it was."""
    stop, counts = asyncio.Event(), RestartCounts()
    keeper = Supervisor(
        watched(folder, behaviour), 1, drain_s=0, clock=SystemClock(), backoff=FAST,
        watched=Watched(lambda: b"x", patience, counts),
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(keeper.run(stop))
        await marks(folder, 0, 2)
        stop.set()
    return {worker: dict(reasons) for worker, reasons in counts.counts().items()}


async def test_a_worker_whose_event_loop_is_blocked_is_killed_and_comes_back(tmp_path: Path) -> None:
    """It accepts connections, and nobody would ever notice."""
    patience = Patience(start_s=PATIENCE_S, silent_s=HASTY.silent_s)
    assert await restarted(tmp_path, "blocked", patience) == {0: {"frozen": 1}}


async def test_a_worker_that_never_gets_ready_is_killed_and_comes_back(tmp_path: Path) -> None:
    assert await restarted(tmp_path, "never ready", HASTY) == {0: {"never_ready": 1}}


async def test_a_worker_is_given_the_same_document_again_and_a_second_stop_kills(tmp_path: Path) -> None:
    stop, ready = asyncio.Event(), asyncio.Queue[int]()
    document = b"configuration " * 100_000  # more than a socket holds
    keeper = Supervisor(
        watched(tmp_path, "alive"), 1, drain_s=1000, clock=SystemClock(), backoff=FAST,
        watched=Watched(lambda: document, on_ready=ready.put_nowait),
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeper.run(stop))
        assert await ready.get() == 0
        keeper.kill()
        assert await ready.get() == 0
        assert (tmp_path / "0").read_bytes() == 2 * document
        stop.set()
        keeper.kill()
    assert running.result() == 0


async def test_a_worker_that_is_refused_later_is_tried_again(tmp_path: Path) -> None:
    """A model file that was deleted meanwhile is no reason to take the healthy ones down."""
    code = (
        "import pathlib, sys\n"
        "mark = pathlib.Path(sys.argv[1])\n"
        "again = mark.exists()\n"
        "mark.open('a').write('x')\n"
        f"sys.exit({EXIT_REFUSED} if again else 1)\n"
    )
    stop, counts = asyncio.Event(), RestartCounts()
    keeper = Supervisor(
        python(code, tmp_path), 1, drain_s=0, clock=SystemClock(), backoff=FAST,
        watched=Watched(bytes, counts=counts),
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(keeper.run(stop))
        await marks(tmp_path, 0, 4)
        stop.set()
    assert running.result() == 0
    assert counts.counts()[0]["refused"] >= 2


async def test_a_start_that_fails_is_tried_again_and_takes_nobody_down(tmp_path: Path) -> None:
    """A machine may be out of memory or of files when one of several workers is started again."""
    crashes = python("import pathlib, sys; pathlib.Path(sys.argv[1]).open('a').write('x')", tmp_path)
    stop, tried = asyncio.Event(), 0

    def command(worker: int) -> Sequence[str]:
        nonlocal tried
        if worker == 0:
            return python(WAITS, tmp_path)(worker)
        tried += 1
        return (str(tmp_path / "no such program"),) if tried == 2 else crashes(worker)

    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(supervisor(command, 2).run(stop))
        with capture_logs() as lines:
            await marks(tmp_path, 1, 2)
        stop.set()
    failed = [line for line in lines if line["event"] == "worker could not be started"]
    assert [(line["worker"], line["reason"]) for line in failed] == [(1, "No such file or directory")]
    assert running.result() == 0
    assert (tmp_path / "0").read_text() == "x"


async def test_a_worker_that_is_not_watched_any_more_is_in_the_log(tmp_path: Path) -> None:
    """It goes on; but if it froze, nobody would notice."""
    stop = asyncio.Event()

    def document() -> bytes:
        raise LookupError

    keeper = Supervisor(python(WAITS, tmp_path), 1, drain_s=0, clock=SystemClock(), watched=Watched(document))
    with capture_logs() as lines:
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
            tasks.create_task(keeper.run(stop))
            await marks(tmp_path, 0, 1)
            stop.set()
    told = [(line["worker"], line["error"]) for line in lines if "not watched" in line["event"]]
    assert told == [(0, "LookupError")]


async def test_a_worker_that_is_started_while_all_stop_is_killed_when_it_does_not_end(tmp_path: Path) -> None:
    stop = asyncio.Event()

    def command(worker: int) -> Sequence[str]:
        stop.set()  # asked for while it is being started
        return python(WAITS, tmp_path)(worker)

    # A worker that hears no SIGTERM from its first moment on: it inherits that.
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        async with asyncio.timeout(PATIENCE_S):
            assert await supervisor(command).run(stop) == 0
    finally:
        signal.signal(signal.SIGTERM, before)


# ── signals ───────────────────────────────────────────────────────────────────────────────────


async def test_a_hang_up_during_a_workers_start_kills_nobody(tmp_path: Path) -> None:
    """Python's own answer is to die, and the first second of a process is imports."""
    stop = asyncio.Event()
    code = "import os, signal; os.kill(os.getpid(), signal.SIGHUP); " + WAITS
    async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as tasks:
        tasks.create_task(supervisor(python(code, tmp_path)).run(stop))
        await marks(tmp_path, 0, 1)
        stop.set()


async def test_a_hang_up_is_passed_to_whoever_reads_again() -> None:
    hung_up = asyncio.Event()
    async with stop_requests(on_hangup=hung_up.set) as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.wait_for(hung_up.wait(), PATIENCE_S)
        assert not stop.is_set()


async def test_a_hang_up_is_ignored_with_a_word_where_nothing_is_read_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async with stop_requests() as stop:
        os.kill(os.getpid(), signal.SIGHUP)
        async with asyncio.timeout(PATIENCE_S):
            while "SIGHUP ignored" not in capsys.readouterr().out:  # noqa: ASYNC110 - a signal tells us
                await asyncio.sleep(0.01)
        assert not stop.is_set()


async def test_a_hang_up_before_anybody_could_answer_is_answered_then() -> None:
    with hangup.held_back():
        # To this thread: of a whole process, any thread of the test runner would take it.
        signal.pthread_kill(threading.get_ident(), signal.SIGHUP)
        async with stop_requests() as stop:
            await asyncio.sleep(0)
        assert not stop.is_set()


async def test_a_second_stop_is_not_the_first_one() -> None:
    hurried = asyncio.Event()
    async with stop_requests(at_once=hurried.set) as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(stop.wait(), PATIENCE_S)
        assert not hurried.is_set()
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(hurried.wait(), PATIENCE_S)


#: Takes the terminal on its standard input as its own, and waits to be told to stop.
IN_TERMINAL = """
import asyncio, fcntl, pathlib, sys, termios
sys.path[:0] = sys.argv[2].split(":")
from router_extproc.process.stop_requests import stop_requests
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
async def main():
    async with stop_requests() as stop:
        pathlib.Path(sys.argv[1]).write_text("x")
        await stop.wait()
asyncio.run(main())
"""


async def test_a_terminal_that_is_closed_stops_what_was_started_in_it(tmp_path: Path) -> None:
    """Else nobody would be left to stop it; a SIGHUP while the terminal is there is refused."""
    terminal, inside = os.openpty()
    roots = ":".join((str(Path(__file__).parents[2]), *sys.path))
    process = await start_process_async(
        *(sys.executable, "-c", IN_TERMINAL, str(tmp_path / "0"), roots),
        stdin=inside, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    os.close(inside)
    try:
        await marks(tmp_path, 0, 1)
        process.send_signal(signal.SIGHUP)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(process.wait(), 1)
        os.close(terminal)
        assert await asyncio.wait_for(process.wait(), PATIENCE_S) == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_both_signals_ask_to_stop(number: signal.Signals) -> None:
    async with stop_requests() as stop:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(stop.wait(), PATIENCE_S)


def test_a_worker_that_keeps_crashing_waits_longer_each_time() -> None:
    assert restart_wait_s(Backoff(first_s=1, max_s=5), 2, lived_s=0) == 4


def test_a_worker_that_lived_long_starts_from_the_shortest_wait() -> None:
    assert restart_wait_s(Backoff(first_s=1, max_s=5), 5, lived_s=CALM_S) == 1


async def test_no_sign_of_life_is_lost_in_the_moment_in_which_a_wait_ends() -> None:
    """Both happen once a second: what is lost once is lost each time, and a healthy worker killed."""
    channel = WorkerChannel()
    try:
        heard = 0
        for _ in range(200):
            asyncio.get_running_loop().call_later(0.002, channel.theirs.send, framed(EMPTY))
            heard += await channel.heard(0.002)
            await asyncio.sleep(0.002)
            heard += await channel.heard(0)
        assert heard == 200
    finally:
        channel.theirs.close()
        channel.close()
