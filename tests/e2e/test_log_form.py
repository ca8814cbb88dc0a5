"""Every line of a running sidecar's standard error is one JSON object, whoever wrote it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from router_extproc.testing.processes import start_process
from router_extproc.testing.stack import free_address

LIMIT_S = 120.0
CONFIG = """
version: 1
workers: {workers}
listen: unix:{folder}/{{worker}}.sock
admin: {admin}
default_model: small
models: {{small: {{cluster: small}}}}
semantic_cache:
  {{enabled: true, scope: shared, backend_type: milvus, milvus: {{connection: {{uri: {folder}/cache.db}}}}}}
limits: {{drain_s: 0.5}}
telemetry: {{log_level: debug}}
"""
#: As native code does it: past Python's own file object.
FOREIGN = """
import os, sys, threading
from router_extproc.clock import SystemClock
from router_extproc.telemetry.library_lines import library_lines
from router_extproc.telemetry.logging import configure_logging, get_logger
with library_lines(SystemClock()) as stream:
    configure_logging(level="debug", form="json", stream=stream)
    os.write(2, b"E0000 00:00:1.5   12 chttp2_transport.cc:1182] too_many_pings\\n")
    os.write(2, b"half of ")
    os.write(2, b"a line with my prompt\\n")
    os.write(2, b"x" * 100_000 + b"\\n")
    print("my prompt", file=sys.stderr)
    thread = threading.Thread(target=lambda: int("my prompt"))
    thread.start()
    thread.join()
    get_logger().info("own line")
    os.write(2, b"no end of line")
print("after the block", file=sys.stderr)
"""


#: PyDLL keeps the interpreter's lock.
FLOOD = """
    import ctypes
    write = ctypes.PyDLL(None).write
    line = b"I0000 00:00:1.5   12 ev.cc:1] AllocTimestamp and more words\\n"
    for _ in range(20_000):
        write(2, line, len(line))
        print("my prompt", file=sys.stderr)
    get_logger().info("own line")
"""


def _run(script: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", script]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True)  # noqa: S603 - our own script


def lines_of(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def test_lines_that_native_code_writes_are_lines_of_the_log() -> None:
    done = _run(FOREIGN)
    *logged, after = done.stderr.splitlines()
    lines = lines_of("\n".join(logged))
    assert after == "after the block"
    assert "my prompt" not in done.stderr
    (pings,) = [line for line in lines if line.get("origin") == "grpc"]
    assert (pings["level"], pings["line"]) == ("error", "too_many_pings")
    assert pings["place"] == "chttp2_transport.cc:1182"
    assert [line["event"] for line in lines if "error" in line] == ["thread failed"]
    unknown = sum(line["suppressed"] + 1 for line in lines if line.get("origin") == "unknown")
    assert unknown >= 4
    assert "own line" in {line["event"] for line in lines}


def test_a_crash_in_native_code_still_leaves_its_python_stack() -> None:
    """The reader of the pipe dies with the process: what matters most goes past it."""
    command = [sys.executable, "-c", FOREIGN.partition("    os.write")[0] + "    os.abort()"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603 - our own script
    assert done.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in done.stderr


def test_a_refused_start_ends_with_one_plain_line(tmp_path: Path) -> None:
    """What is wrong with a configuration is said to the person who typed the command."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        admin = f"127.0.0.1:{taken.getsockname()[1]}"
        file = tmp_path / "router.yaml"
        file.write_text(CONFIG.format(folder=tmp_path, admin=admin, workers=1))
        command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(file)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)  # noqa: S603 - our own arguments
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"admin: {admin} is in use; set admin to another HOST:PORT"
    assert "Traceback" not in done.stderr


def test_a_flood_of_foreign_lines_neither_stops_the_process_nor_floods_the_log() -> None:
    """Native code may hold the interpreter while it writes: the pipe's reader cannot make room then."""
    done = _run(FOREIGN.partition("    os.write")[0] + FLOOD)
    lines = lines_of(done.stderr)
    assert "own line" in {line["event"] for line in lines}
    assert sum(line.get("suppressed", 0) for line in lines) > 100
    assert len(lines) < 30


@contextmanager
def running_serve(folder: Path, workers: int) -> Iterator[tuple[Path, str]]:
    """`router-extproc serve` until the block is left; the file of its standard error, and its admin port."""
    admin, log = free_address(), folder / "stderr.log"
    (folder / "router.yaml").write_text(CONFIG.format(folder=folder, admin=admin, workers=workers))
    command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(folder / "router.yaml")]
    with log.open("wb") as output:
        process = start_process(command, stdout=output, stderr=output, env=_talkative())
    try:
        _wait_until_ready(admin)
        yield log, admin
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(LIMIT_S)


def _talkative() -> dict[str, str]:
    """GRPC says all that it can say."""
    return {**os.environ, "GRPC_VERBOSITY": "DEBUG", "GRPC_TRACE": "http_keepalive,connectivity_state"}


def read(admin: str, path: str) -> bytes:
    with urllib.request.urlopen(f"http://{admin}{path}", timeout=5.0) as answer:
        found: bytes = answer.read()
        return found


def _wait_until_ready(admin: str) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while time.monotonic() < give_up_s:
        with contextlib.suppress(OSError):
            if all(json.loads(read(admin, "/readyz"))["workers_ready"].values()):
                return
        time.sleep(0.1)
    raise TimeoutError("not ready")


@pytest.mark.parametrize("workers", [1, 2])
def test_every_line_of_a_sidecar_with_milvus_lite_is_json(tmp_path: Path, workers: int) -> None:
    with running_serve(tmp_path, workers) as (log, admin):
        metrics, state = read(admin, "/metrics").decode(), json.loads(read(admin, "/readyz"))
    lines = lines_of(log.read_text())
    assert {"serving", "stopped"} <= {line["event"] for line in lines}
    talkative = {line.get("process", "worker") for line in lines if line.get("origin") == "grpc"}
    assert talkative == ({"worker"} if workers == 1 else {"worker", "milvus-lite"})
    assert all({"event", "level", "timestamp"} <= line.keys() for line in lines)
    # One configuration, one digest: in the log, on /readyz and in every worker's metrics.
    (digest,) = {line["config_digest"] for line in lines if line["event"] == "serving"}
    assert state["config_digest"] == digest
    for worker in range(workers):
        assert f'router_extproc_config_info{{digest="{digest}",worker="{worker}"}} 1.0' in metrics
    assert metrics.count("router_extproc_build_info{") == workers
    first = (
        f'router_extproc_stage_outcomes_total{{outcome="timeout",stage="cache",worker="{workers - 1}"}} 0.0'
    )
    assert first in metrics
