"""A worker in a process of its own, as `serve` runs it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from router_extproc.testing.ports import free_port
from router_extproc.testing.processes import start_process

#: Until it has served, on a machine that does much else.
WORKER_S = 120

#: Serves, waits for the collector's frozen objects, stops as SIGTERM does, and says how many there were.
WATCH = """
import asyncio, gc, os, signal, sys
from pathlib import Path
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.worker import run_worker
from router_extproc.config.read import read_config

async def main():
    worker = asyncio.create_task(run_worker(read_config(Path(sys.argv[1])), WorkerAddress()))
    while not gc.get_freeze_count() and not worker.done():
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    await worker
    print(gc.get_freeze_count())

asyncio.run(main())
"""


def config_in(folder: Path) -> Path:
    config = {
        "version": 1,
        "listen": f"unix:{folder}/{{worker}}.sock",
        "admin": f"127.0.0.1:{free_port()}",
        "default_model": "small",
        "models": {"small": {"cluster": "small"}},
        "semantic_cache": {"enabled": False},
    }
    file = folder / "router.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    return file


def test_a_worker_takes_what_it_keeps_out_of_the_collectors_sight(tmp_path: Path) -> None:
    """Else a collection stops every request for as long as Envoy waits for one."""
    file = config_in(tmp_path)
    command = [sys.executable, "-c", WATCH, str(file)]
    shown = subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, check=True, timeout=WORKER_S, text=True
    )
    assert int(shown.stdout.splitlines()[-1]) > 10_000


#: Says at its warm-up whether Envoy could reach it already, and stops.
COLD = """
import asyncio, os, signal, sys
from pathlib import Path
from router_extproc.process import worker
from router_extproc.config.read import read_config

async def warm(application, config):
    print(Path(sys.argv[2]).exists())
    os.kill(os.getpid(), signal.SIGTERM)

worker.warm = warm
asyncio.run(worker.run_worker(read_config(Path(sys.argv[1])), worker.WorkerAddress()))
"""


def test_nobody_can_ask_a_worker_whose_models_are_cold(tmp_path: Path) -> None:
    """Envoy's health check would hear SERVING, and the first requests pass unread."""
    command = [sys.executable, "-c", COLD, str(config_in(tmp_path)), str(tmp_path / "0.sock")]
    shown = subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, check=True, timeout=WORKER_S, text=True
    )
    assert "False" in shown.stdout.splitlines()


@pytest.mark.parametrize("workers", [1, 2])
def test_a_service_manager_hears_that_it_is_ready_alive_and_stopping(tmp_path: Path, workers: int) -> None:
    file = config_in(tmp_path)
    file.write_text(json.dumps({**json.loads(file.read_text()), "workers": workers}), encoding="utf-8")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(WORKER_S)
        process = start_process(
            [sys.executable, "-m", "router_extproc", "serve", "-c", str(file)],
            env={**os.environ, "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "1000000"},
            stderr=subprocess.DEVNULL,
        )
        hear = iter(lambda: listener.recv(100).decode(), None)
        try:
            assert "READY=1" in hear
            assert "WATCHDOG=1" in hear
            process.terminate()
            assert "STOPPING=1" in hear
        finally:
            process.terminate()
            process.wait(WORKER_S)
