"""Two real workers behind the supervisor: frozen, killed, hung up on, with a configuration that changed."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from router_extproc.process.watch import Patience
from router_extproc.testing.processes import start_process
from router_extproc.testing.stack import free_address

LIMIT_S = 120.0
CONFIG = """
version: 1
workers: {workers}
listen: unix:{folder}/{{worker}}.sock
admin: {admin}
virtual_models: [auto]
default_model: small
models: {{small: {{cluster: small}}, large: {{cluster: large}}}}
limits: {{drain_s: 1.0}}
"""


class Served:
    """A running `serve` with its log, and its parts to hurt."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.admin, self.file, self._log = free_address(), folder / "router.yaml", folder / "serve.log"
        self.workers = workers
        self.file.write_text(CONFIG.format(folder=folder, admin=self.admin, workers=workers))
        command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(self.file)]
        with self._log.open("wb") as log:
            self.process = start_process(command, stderr=log)

    def pids(self) -> dict[int, int]:
        """Worker to process id."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        found = {}
        for child in map(int, children.split()):
            words = _command(child)
            if "--worker" in words:
                found[int(words[words.index("--worker") + 1])] = child
        return found

    def log(self) -> str:
        return self._log.read_text()

    def ask(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://{self.admin}{path}", trust_env=False, timeout=5.0)
        except httpx.HTTPError:
            return None

    def ready(self) -> dict[str, bool] | None:
        """Which workers are ready; None: nobody says, or 503."""
        answer = self.ask("/readyz")
        return answer.json()["workers_ready"] if answer is not None and answer.is_success else None

    def all_ready(self) -> bool:
        return self.ready() == {str(worker): True for worker in range(self.workers)}

    def metric(self, sample: str) -> float | None:
        answer = self.ask("/metrics")
        found = re.search(rf"^{re.escape(sample)} (\S+)$", answer.text, re.MULTILINE) if answer else None
        return float(found[1]) if found else None


def _command(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    except FileNotFoundError:
        return []


def until(holds: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)


@contextmanager
def serving(folder: Path, workers: int) -> Iterator[Served]:
    served = Served(folder, workers)
    try:
        until(served.all_ready)
        yield served
    finally:
        served.process.send_signal(signal.SIGCONT)
        served.process.terminate()
        served.process.wait(LIMIT_S)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("two"), 2) as served:
        yield served


@pytest.fixture
def served(running: Served) -> Served:
    """Both workers ready."""
    until(running.all_ready)
    return running


def restarts(served: Served, worker: int, reason: str) -> float | None:
    return served.metric(f'router_extproc_worker_restarts_total{{reason="{reason}",worker="{worker}"}}')


def test_every_worker_is_in_the_metrics_from_the_start(served: Served) -> None:
    assert [served.metric(f'router_extproc_worker_up{{worker="{worker}"}}') for worker in (0, 1)] == [1, 1]
    assert restarts(served, 1, "frozen") == 0


def test_a_hang_up_kills_no_process_and_reads_the_file_again_once(served: Served) -> None:
    """Whoever sends it to a whole group reaches the workers, too, which leave it to the supervisor."""
    before = served.pids()
    for pid in (served.process.pid, *before.values()):
        os.kill(pid, signal.SIGHUP)
    until(lambda: served.log().count("SIGHUP ignored") == 2)
    until(lambda: served.log().count("policy unchanged") == 1)
    assert served.pids() == before
    assert served.process.poll() is None


def test_a_frozen_worker_is_seen_at_once_and_replaced(served: Served) -> None:
    """Worker 0, too, which has the admin port: until then nobody answers there."""
    before = served.pids()
    frozen = before[1]
    os.kill(frozen, signal.SIGSTOP)
    until(lambda: served.metric('router_extproc_worker_up{worker="1"}') == 0)
    assert served.ready() == {"0": True, "1": False}, "the other one serves: still 200"
    os.kill(before[0], signal.SIGSTOP)
    until(lambda: served.all_ready() and not set(served.pids().values()) & set(before.values()))
    assert [restarts(served, worker, "frozen") for worker in (0, 1)] == [1, 1]
    assert "gives no sign of life and is killed" in served.log()


def test_a_machine_that_slept_costs_no_worker(served: Served) -> None:
    """The supervisor wakes first, and finds everybody silent for a long time."""
    before = served.pids()
    for pid in (served.process.pid, *before.values()):
        os.kill(pid, signal.SIGSTOP)
    time.sleep(Patience().silent_s + 1)
    for pid in (served.process.pid, *before.values()):
        os.kill(pid, signal.SIGCONT)
    time.sleep(2.5)
    assert served.pids() == before


@pytest.mark.parametrize(
    "saved",
    ["version: 1\nworkers: [", "version: 1\ndefault_model: other\nmodels: {other: {cluster: other}}\n"],
    ids=["broken", "nothing that a reload can change"],
)
def test_a_worker_that_comes_back_has_the_configuration_of_the_others(served: Served, saved: str) -> None:
    """Whatever is in the file by now."""
    served.file.write_text(saved)
    for worker in (0, 1):
        before = served.pids()
        os.kill(before[worker], signal.SIGKILL)
        until(lambda: served.pids().get(worker) not in (None, before[worker]) and served.all_ready())  # noqa: B023
        assert served.pids()[1 - worker] == before[1 - worker]
    answer = served.ask("/readyz")
    assert answer is not None
    assert answer.json()["models"] == {"small": "small", "large": "large"}
    assert served.process.poll() is None


def test_no_secret_is_on_a_command_line(served: Served) -> None:
    """The configuration goes through a socket."""
    for pid in served.pids().values():
        assert not [word for word in _command(pid) if "small" in word]


def test_a_single_worker_that_is_stuck_fails_its_liveness_probe(tmp_path: Path) -> None:
    """It has no supervisor: Kubernetes' probe or systemd's watchdog restarts it."""
    with serving(tmp_path, 1) as alone:
        assert alone.metric('router_extproc_worker_up{worker="0"}') == 1
        os.kill(alone.process.pid, signal.SIGHUP)
        until(lambda: "policy unchanged" in alone.log())
        assert alone.ask("/healthz") is not None
        os.kill(alone.process.pid, signal.SIGSTOP)
        assert alone.ask("/healthz") is None
        os.kill(alone.process.pid, signal.SIGCONT)
        until(lambda: alone.ask("/healthz") is not None)
