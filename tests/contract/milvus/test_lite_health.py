"""What is told of Milvus Lite's process: why it does not serve, what was put aside, and its return."""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from milvus_lite import MilvusLite

from router_extproc.cache.health import Phase, Trouble, Unheard
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.near.tier import NearTier
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.cache.verify import GuardVerifier
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.json_lines import read_log_lines
from router_extproc.testing.processes import start_process

CLOCK = ManualClock()
LIMIT_S = 60.0
ENTRY = made_entry("kept", now_s=CLOCK.wall_s(), vector=unit_vector(1.0))
COLLECTION = Path("collections") / "semantic_cache"


class Heard(Unheard):
    """A listener that keeps what matters to an operator."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def lost(self, trouble: Trouble, reason: str) -> None:  # noqa: ARG002 - the port
        self.told.append(f"lost {trouble}")

    def ready(self, away_s: float | None) -> None:
        self.told.append("ready" if away_s is None else "back")

    def writes_refused(self, trouble: Trouble | None) -> None:
        self.told.append(f"writes {trouble}")


class Process:
    """Milvus Lite's process over a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "cache.db"
        self.socket = folder / "lite.sock"
        self._log = folder / "lite.log"
        self._running: subprocess.Popen[bytes] | None = None

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "router_extproc.process.milvus_lite_server"]
        with self._log.open("ab") as log:
            self._running = start_process(
                [*command, str(self.data), str(self.socket), "info", "json"],
                stdin=subprocess.PIPE,
                stderr=log,
            )
        return self._running

    def kill(self) -> None:
        if self._running is not None:
            self._running.kill()
            self._running.communicate()
            self._running = None

    def lines(self) -> list[dict[str, object]]:
        return read_log_lines(self._log)

    @asynccontextmanager
    async def asked(self, heard: Heard) -> AsyncIterator[MilvusCache]:
        wanted = Milvus(uri=f"unix:{self.socket}")
        async with MilvusCache(wanted, dim=CHECK_DIM, clock=CLOCK, listener=heard) as backend:
            yield backend


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    yield made
    made.kill()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not holds():  # noqa: ASYNC110 - another process tells nobody
            await asyncio.sleep(0.02)


async def test_away_at_the_start_then_there_then_away_then_back_is_one_line_each(process: Process) -> None:
    heard = Heard()
    async with process.asked(heard) as backend:
        await until(lambda: heard.told == ["lost unreachable"])
        state = await backend.state()
        assert state.health is not None
        assert (state.health.phase, state.health.trouble) == (Phase.LOST, "unreachable")
        assert state.health.reason
        process.start()
        await until(lambda: heard.told == ["lost unreachable", "back"])
        process.kill()
        with pytest.raises(Exception, match="cache"):
            await backend.get(ENTRY.fingerprint)
        await until(lambda: heard.told == ["lost unreachable", "back", "lost unreachable"])
        process.start()
        await until(lambda: heard.told[3:] == ["back"])


async def test_folder_that_cannot_be_read_is_put_aside_and_the_cache_is_there(process: Process) -> None:
    (process.data / COLLECTION).mkdir(parents=True)
    (process.data / COLLECTION / "schema.json").write_bytes(os.urandom(100))
    process.start()
    heard = Heard()
    async with process.asked(heard) as backend:
        await until(lambda: heard.told[-1:] in (["ready"], ["back"]))
        await backend.put([ENTRY])
        assert await backend.get(ENTRY.fingerprint) is not None
    (line,) = [each for each in process.lines() if "put aside" in str(each["event"])]
    assert line["level"] == "warning"
    assert (process.data.parent / str(line["now"]) / COLLECTION).is_dir()


async def test_folder_in_use_by_another_sidecar_is_said_to_the_workers(process: Process) -> None:
    heard = Heard()
    with MilvusLite(str(process.data)):
        assert await asyncio.to_thread(process.start().wait, LIMIT_S) == 1
        async with process.asked(heard) as backend:
            await until(lambda: heard.told == ["lost in-use"])
            assert "open in another process" in (await backend.state()).detail
            assert process.data.is_dir()


async def test_full_disk_is_one_warning_and_one_line_when_there_is_room_again(process: Process) -> None:
    """No file of the process may grow: to it, the disk is full."""
    running, heard = process.start(), Heard()
    async with process.asked(heard) as backend:
        near = NearTier(CLOCK, max_entries=100, max_bytes=10_000_000)
        async with SemanticCache(CLOCK, near, GuardVerifier(), backend=backend) as cache:
            await until(lambda: heard.told[-1:] in (["ready"], ["back"]))
            heard.told.clear()
            resource.prlimit(running.pid, resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))
            cache.store(replace(ENTRY, answer=os.urandom(100_000)))
            await until(lambda: heard.told == ["writes full"])
            resource.prlimit(
                running.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
            )
            await until(lambda: heard.told == ["writes full", "writes None"])
