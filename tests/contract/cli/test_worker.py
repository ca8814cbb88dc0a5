"""A worker in a process of its own, as `serve` runs it."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

#: Until it has served, on a machine that does much else.
WORKER_S = 120

#: Serves, waits for the collector's frozen objects, stops as SIGTERM does, and says how many there were.
WATCH = """
import asyncio, gc, os, signal, sys
from pathlib import Path
from router_extproc.cli.worker import Seat, run_worker
from router_extproc.config.read import read_config

async def main():
    worker = asyncio.create_task(run_worker(read_config(Path(sys.argv[1])), Seat()))
    while not gc.get_freeze_count() and not worker.done():
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)
    await worker
    print(gc.get_freeze_count())

asyncio.run(main())
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_a_worker_takes_what_it_keeps_out_of_the_collectors_sight(tmp_path: Path) -> None:
    """Else a collection stops every request for as long as Envoy waits for one."""
    config = {
        "version": 1,
        "listen": f"unix:{tmp_path}/{{worker}}.sock",
        "admin": f"127.0.0.1:{free_port()}",
        "default_model": "small",
        "models": {"small": {"cluster": "small"}},
        "semantic_cache": {"enabled": False},
    }
    file = tmp_path / "router.yaml"
    file.write_text(json.dumps(config), encoding="utf-8")
    command = [sys.executable, "-c", WATCH, str(file)]
    shown = subprocess.run(  # noqa: S603 - our own words, no shell
        command, capture_output=True, check=True, timeout=WORKER_S, text=True
    )
    assert int(shown.stdout.splitlines()[-1]) > 10_000
