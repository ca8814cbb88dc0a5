"""The admin port of a real sidecar with two workers, asked over TCP with and without its token."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from router_extproc.testing.processes import start_process

READY_S = 120.0
COMMAND_S = 60.0
STOP_S = 30.0
QUESTION = "Which fjord is the longest?"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """A running `serve`: its admin port, the port of its metrics, its token and its log."""

    admin: str
    metrics: str
    token_file: Path
    log: Path

    @property
    def bearer(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token_file.read_text().strip()}"}

    def get(self, path: str, **headers: str) -> httpx.Response:
        return httpx.get(f"http://{self.admin}{path}", headers=headers, trust_env=False, timeout=COMMAND_S)

    def cache(self, *words: str, token: str | None = None) -> subprocess.CompletedProcess[bytes]:
        """What `router-extproc cache` does; the token is in its environment."""
        environment = {name: value for name, value in os.environ.items() if name != "ROUTER_ADMIN_TOKEN"}
        if token is not None:
            environment["ROUTER_ADMIN_TOKEN"] = token
        command = [sys.executable, "-m", "router_extproc", "cache", *words, "--admin", self.admin]
        return subprocess.run(  # noqa: S603 - our own words, no shell
            command, env=environment, capture_output=True, timeout=COMMAND_S, check=False
        )


def free_addresses(count: int) -> list[str]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    addresses = [f"127.0.0.1:{probe.getsockname()[1]}" for probe in probes]
    for probe in probes:
        probe.close()
    return addresses


def is_ready(address: str) -> bool:
    try:
        answer = httpx.get(f"http://{address}/readyz", trust_env=False, timeout=COMMAND_S)
    except httpx.HTTPError:
        return False
    return answer.is_success and set(answer.json()["workers_ready"].values()) == {True}


@pytest.fixture(scope="module")
def sidecar(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    folder = tmp_path_factory.mktemp("admin")
    admin, metrics = free_addresses(2)
    (folder / "token").write_text(f"{secrets.token_hex(16)}\n")
    everywhere = {
        name: address.replace("127.0.0.1", "0.0.0.0")  # noqa: S104 - what is tested
        for name, address in (("listen", admin), ("metrics", metrics))
    }
    config = {
        "version": 1,
        "listen": f"unix:{folder}/{{worker}}.sock",
        "workers": 2,
        "admin": {**everywhere, "token_file": "token", "allowed_hosts": ["router.example"]},
        "default_model": "small",
        "models": {"small": {"cluster": "small"}},
        "semantic_cache": {"enabled": True},
    }
    (folder / "router.yaml").write_text(json.dumps(config))
    command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(folder / "router.yaml")]
    log = folder / "log"
    with log.open("wb") as output:
        process = start_process(command, stdout=output, stderr=output)
    try:
        give_up_s = time.monotonic() + READY_S
        while not is_ready(metrics):
            if process.poll() is not None or time.monotonic() > give_up_s:
                raise RuntimeError(f"the sidecar is not ready:\n{log.read_text()}")
            time.sleep(0.05)
        yield Sidecar(admin, metrics, folder / "token", log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)


@pytest.fixture
def stored(sidecar: Sidecar, tmp_path: Path) -> Iterator[Sidecar]:
    """The same with an answer in its cache."""
    lines = tmp_path / "lines.jsonl"
    lines.write_text(json.dumps({"question": QUESTION, "answer": "Scoresby Sund."}))
    token = sidecar.token_file.read_text().strip()
    done = sidecar.cache("warm", str(lines), "-H", "authorization: Bearer one", token=token)
    assert done.returncode == 0, done.stderr
    yield sidecar
    assert sidecar.cache("purge", "--all", token=token).returncode == 0


def test_what_was_said_is_shown_for_the_token_only(stored: Sidecar) -> None:
    assert QUESTION in stored.get("/cache/export", **stored.bearer).text
    for headers, status in (({}, 401), ({"authorization": "Bearer " + "x" * 32}, 401)):
        answer = stored.get("/cache/export", **headers)
        assert (answer.status_code, QUESTION in answer.text) == (status, False)


def test_a_rebound_name_reads_nothing_even_with_the_token(stored: Sidecar) -> None:
    answer = stored.get("/cache/export", host="evil.example", **stored.bearer)
    assert (answer.status_code, QUESTION in answer.text) == (403, False)
    assert stored.get("/cache/export", host="router.example:80", **stored.bearer).status_code == 200


def test_the_metrics_have_a_port_that_knows_nothing_else(stored: Sidecar) -> None:
    def ask(path: str) -> httpx.Response:
        url = f"http://{stored.metrics}{path}"
        return httpx.get(url, headers={"host": "pod.example", **stored.bearer}, trust_env=False)

    assert 'router_extproc_cache_near_entries{worker="1"}' in ask("/metrics").text
    assert ask("/healthz").json() == {"alive": True}
    for path in ("/", "/cache", "/cache/entries", "/cache/export", "/explain"):
        assert ask(path).status_code == 404


def test_commands_reach_every_worker_with_the_token(stored: Sidecar) -> None:
    """The workers' own sockets ask for none."""
    refused = stored.cache("stats")
    assert (refused.returncode, b"ROUTER_ADMIN_TOKEN" in refused.stderr) == (1, True)
    done = stored.cache("purge", "--all", "--token-file", str(stored.token_file), "--json")
    report = json.loads(done.stdout)
    assert (report["purged"], set(report["workers"]), report["problems"]) == (1, {"0", "1"}, {})


def test_refusals_are_counted_and_logged_without_what_was_sent(stored: Sidecar) -> None:
    guess = secrets.token_hex(16)
    stored.get("/cache", authorization=f"Bearer {guess}")
    metrics = stored.get("/metrics").text
    (line,) = (
        line for line in metrics.splitlines() if "admin_refused_total" in line and "token_wrong" in line
    )
    assert float(line.split()[-1]) >= 1
    log = stored.log.read_text()
    assert '"event": "admin request refused"' in log
    assert guess not in log
    assert stored.token_file.read_text().strip() not in log
    assert QUESTION not in log
