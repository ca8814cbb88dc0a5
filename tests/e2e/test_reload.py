"""A served router whose policy changes while it serves: by the file, by SIGHUP and by an operator."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import pytest

from router_extproc.config.read import read_config
from router_extproc.testing.pools import PoolAnswer, running_pool
from router_extproc.testing.processes import start_process
from router_extproc.testing.reload_under_load import RELOADS_OF_TEST, WORKERS, reload_under_load
from router_extproc.testing.stack import envoy_of, free_address

LIMIT_S = 120.0
TOKEN = "correct-horse-battery-staple"
CONFIG = """
version: 1
workers: {workers}
listen: unix:{folder}/{{worker}}.sock
admin: {admin}
virtual_models: [auto]
default_model: small
models: {{small: {{cluster: small}}, large: {{cluster: large}}}}
limits: {{drain_s: 1.0, message_timeout_s: 5}}
telemetry: {{debug_token: {token}}}
envoy: {{listen: {listen}, clusters: {{small: {{endpoints: [{pool}]}}, large: {{endpoints: [{pool}]}}}}}}
"""
ALL_TO_LARGE = "decisions: [{name: all, model: large}]\n"
ASKED = {"model": "auto", "messages": [{"role": "user", "content": "Hello"}]}


async def test_streams_and_requests_notice_nothing_of_reloads(tmp_path: Path) -> None:
    """Streams of a second each, under policies that change every few milliseconds."""
    noticed = await reload_under_load(tmp_path, RELOADS_OF_TEST)
    assert (noticed.errors, noticed.cut_streams, noticed.refused) == ({}, 0, 0)
    assert sum(noticed.answers.values()) > 0
    assert noticed.versions == [RELOADS_OF_TEST + 1.0] * WORKERS
    first, *_, last = noticed.rss_mib
    assert last < first * 1.1


class Served:
    """A running `serve`, its file and its log."""

    def __init__(self, folder: Path, workers: int, pool: str = "127.0.0.1:1") -> None:
        self.admin, self.listen = free_address(), free_address()
        self.file, self._log = folder / "router.yaml", folder / "serve.log"
        self.base = CONFIG.format(
            workers=workers, folder=folder, admin=self.admin, listen=self.listen, pool=pool, token=TOKEN
        )
        self.file.write_text(self.base)
        command = [sys.executable, "-m", "router_extproc", "serve", "--config", str(self.file)]
        with self._log.open("wb") as log:
            self.process = start_process(command, stderr=log)

    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str) -> httpx.Response | None:
        try:
            return httpx.get(f"http://{self.admin}{path}", trust_env=False, timeout=5.0)
        except httpx.HTTPError:
            return None

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = httpx.post(f"http://{self.admin}{path}", json=body or {}, trust_env=False, timeout=LIMIT_S)
        told: dict[str, Any] = answer.json()
        return told

    def ready(self) -> bool:
        answer = self.get("/readyz")
        return answer is not None and answer.is_success and all(answer.json()["workers_ready"].values())

    def versions(self) -> list[int]:
        """The version that each worker works by."""
        answer = self.get("/metrics")
        text = "" if answer is None else answer.text
        return [
            int(float(each))
            for each in re.findall(r"^router_extproc_policy_version\{.*\} (\S+)$", text, re.MULTILINE)
        ]

    def counts_a_difference(self) -> bool:
        """The shadow policy would have sent a request elsewhere."""
        answer = self.get("/metrics")
        wanted = 'model="small",same="false",shadow_decision="all",shadow_model="large"'
        return answer is not None and wanted in answer.text

    def decided(self) -> str:
        """The model that a request goes to now."""
        return str(self.post("/explain", ASKED)["model"])

    def worker(self, number: int) -> int | None:
        """The process id of a worker."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        for child in children.split():
            words = Path(f"/proc/{child}/cmdline").read_text().split("\0")
            if "--worker" in words and words[words.index("--worker") + 1] == str(number):
                return int(child)
        return None

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(LIMIT_S)


def until(holds: Callable[[], bool]) -> None:
    give_up_s = time.monotonic() + LIMIT_S
    while not holds():
        assert time.monotonic() < give_up_s
        time.sleep(0.05)


@pytest.fixture(params=[1, 2], ids=["one worker", "two workers"])
def served(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Served]:
    started = Served(tmp_path, request.param)
    try:
        until(started.ready)
        yield started
    finally:
        started.stop()


def test_a_policy_comes_by_the_file_by_a_signal_and_by_an_operator(served: Served) -> None:
    workers = len(served.versions())
    assert served.decided() == "small"

    served.file.write_text(served.base + ALL_TO_LARGE)
    until(lambda: served.versions() == [2] * workers)
    assert served.decided() == "large"

    served.file.write_text(served.base)
    os.kill(served.process.pid, signal.SIGHUP)
    until(lambda: served.versions() == [3] * workers)
    assert served.decided() == "small"

    broken = "models: [\n"
    served.file.write_text(served.base + broken)
    told = served.post("/policy/reload")
    assert (told["result"], told["version"], len(told["problems"])) == ("refused", 3, 1)
    served.file.write_text(served.base.replace("drain_s: 1.0", "drain_s: 2.0") + "state_dir: x\n")
    told = served.post("/policy/reload")
    assert {each["path"]: each["problem"] for each in told["problems"]} == {
        "limits.drain_s": "needs a restart",
        "state_dir": "needs a restart",
    }
    assert served.decided() == "small"

    told = served.post("/policy/rollback")
    assert (told["result"], told["version"], told["content_of"]) == ("rolled_back", 4, 2)
    assert served.versions() == [4] * workers
    assert served.decided() == "large"
    state = served.get("/policy")
    assert state is not None
    assert [each["version"] for each in state.json()["history"]] == [4, 3, 2, 1]
    assert state.json()["last_refused"]["problems"][0]["path"] == "limits.drain_s"
    metrics = served.get("/metrics")
    assert metrics is not None
    assert 'router_extproc_policy_reloads_total{result="rolled_back",worker="0"} 1.0' in metrics.text
    assert served.log().count("policy in force") == 3


def test_a_worker_that_comes_back_has_the_version_in_force_whatever_is_on_the_disk(tmp_path: Path) -> None:
    served = Served(tmp_path, 2)
    try:
        until(served.ready)
        served.file.write_text(served.base + ALL_TO_LARGE)
        assert served.post("/policy/reload")["version"] == 2
        served.file.write_text("version: [\n")
        for worker in (1, 0):
            before = served.worker(worker)
            assert before is not None
            os.kill(before, signal.SIGKILL)
            until(lambda: served.worker(worker) not in {None, before} and served.ready())  # noqa: B023
        until(lambda: served.versions() == [2, 2])
        assert served.decided() == "large"
        assert served.post("/policy/rollback")["version"] == 3
        until(lambda: served.versions() == [3, 3])
    finally:
        served.stop()


async def test_an_operator_is_told_the_version_through_envoy_and_no_pool_gets_the_token(
    tmp_path: Path,
) -> None:
    answer = {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
    async with running_pool("pool") as pool, aiohttp.ClientSession() as session:
        pool.answer = PoolAnswer((json.dumps({"object": "chat.completion", **answer}).encode(),))
        with ExitStack() as stack:
            served = Served(tmp_path, 1, pool.address)
            stack.callback(served.stop)
            # In threads: meanwhile the pool, which lives here, answers Envoy's first health check.
            await asyncio.to_thread(until, served.ready)
            running = envoy_of(read_config(served.file), tmp_path)
            envoy = await asyncio.to_thread(stack.enter_context, running)

            async def ask(path: str = "/v1/chat/completions", **headers: str) -> dict[str, str]:
                named = {name.replace("_", "-"): value for name, value in headers.items()}
                async with session.post(f"{envoy.url}{path}", json=ASKED, headers=named) as got:
                    return {"status": str(got.status), **got.headers}

            async with asyncio.timeout(LIMIT_S):
                while "x-router-decision" not in await ask():  # noqa: ASYNC110 - Envoy tells nobody
                    await asyncio.sleep(0.05)
            pool.requests.clear()
            told = await ask(x_router_debug=TOKEN)
            assert (told["status"], told["x-router-version"]) == ("200", "1")
            assert "x-router-version" not in await ask(x_router_debug="wrong")
            assert "x-router-version" not in await ask(x_router_version="9")
            await ask("/v1/other", x_router_debug=TOKEN)
            names = {name for request in pool.requests for name in request.headers}
            assert len(pool.requests) == 4
            assert not {"x-router-debug", "x-router-version"} & names
            # The next policy, first without effect: the file changes, and a reload brings it.
            (tmp_path / "next.yaml").write_text(served.base + ALL_TO_LARGE)
            served.file.write_text(served.base + "shadow_policy: next.yaml\n")
            reloaded = await asyncio.to_thread(served.post, "/policy/reload")
            assert (reloaded["result"], reloaded["version"]) == ("applied", 2)
            assert (await ask())["x-router-model"] == "small"
            await asyncio.to_thread(until, served.counts_a_difference)
