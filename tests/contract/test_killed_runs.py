"""A test run that is killed leaves no process behind: not the ones it started, nor theirs.

Each test here starts a pytest of its own, which starts something, and sends it a signal.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from router_extproc.testing.listening import process_tree
from router_extproc.testing.milvus_process import UNAVAILABLE, is_available
from router_extproc.testing.processes import start_process

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux ends them")

#: For a run to start what it starts, on a machine that does much else.
STARTED_S = 240.0
#: What is killed is gone at once; the sidecar of a demo drains first.
GONE_S = 30.0

#: A run under nohup ignores SIGHUP, and its children would, too.
RUN = """
import signal, sys, time
from pathlib import Path
{imports}

signal.signal(signal.SIGHUP, signal.SIG_DFL)

def test_that_is_killed(tmp_path):
    with {started}:
        Path({mark!r}).touch()
        time.sleep(600)
"""
#: Starts a process that hears no signal but the last one, and waits until it does not.
DEAF = """
import contextlib, subprocess
from router_extproc.testing.processes import start_process

CODE = "import signal, time; signal.signal(15, signal.SIG_IGN); print(flush=True); time.sleep(600)"

@contextlib.contextmanager
def running_deaf():
    with start_process([sys.executable, "-c", CODE], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield
"""


@contextmanager
def running_tests(folder: Path, imports: str, started: str) -> Iterator[int]:
    """The process of a test run whose only test has started what it wanted."""
    mark, file = folder / "started", folder / "test_killed.py"
    file.write_text(RUN.format(imports=imports, started=started, mark=str(mark)))
    options = ["-q", "-p", "no:cacheprovider", "-c", "/dev/null", f"--basetemp={folder / 'run'}"]
    with (folder / "log").open("wb") as log:
        run = start_process([sys.executable, "-m", "pytest", *options, file], stdout=log, stderr=log)
    try:
        give_up_s = time.monotonic() + STARTED_S
        while not mark.exists():
            assert run.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < give_up_s, (folder / "log").read_text()
            time.sleep(0.02)
        yield run.pid
    finally:
        run.kill()
        run.wait()


def runs(pid: int) -> bool:
    """False also for a process that has ended and that nobody has asked about."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def left_after(number: signal.Signals, pid: int) -> list[int]:
    """Processes of the run that are still there after it got the signal, and some time."""
    tree = list(process_tree(pid))
    assert len(tree) > 1
    os.kill(pid, number)
    give_up_s = time.monotonic() + GONE_S
    while (left := [each for each in tree if runs(each)]) and time.monotonic() < give_up_s:
        time.sleep(0.02)
    for each in left:
        os.kill(each, signal.SIGKILL)
    return left


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_what_a_test_started_ends_with_the_run(tmp_path: Path, number: signal.Signals) -> None:
    """Pytest hears only SIGINT: at every other signal no fixture is torn down."""
    with running_tests(tmp_path, DEAF, "running_deaf()") as run:
        assert left_after(number, run) == []


def test_what_is_stopped_ends_with_the_run(tmp_path: Path) -> None:
    """Tests stop servers with SIGSTOP, and a stopped process hears no signal but the last one."""
    with running_tests(tmp_path, DEAF, "running_deaf()") as run:
        (_, started) = process_tree(run)
        os.kill(started, signal.SIGSTOP)
        assert left_after(signal.SIGKILL, run) == []


@pytest.mark.skipif(not is_available(), reason=UNAVAILABLE)
def test_a_milvus_server_ends_with_the_run(tmp_path: Path) -> None:
    imports = "from router_extproc.testing.milvus_process import running_milvus"
    with running_tests(tmp_path, imports, "running_milvus(tmp_path / 'milvus')") as run:
        assert left_after(signal.SIGKILL, run) == []


def test_a_demo_with_its_sidecar_milvus_lite_and_envoy_ends_with_the_run(tmp_path: Path) -> None:
    imports = "from router_extproc.testing.demo_process import running_demo"
    with running_tests(tmp_path, imports, "running_demo(tmp_path / 'demo')") as run:
        assert left_after(signal.SIGKILL, run) == []
