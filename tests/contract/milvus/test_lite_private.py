"""Milvus Lite is reached by nobody else: no port, a private socket, private files."""

from __future__ import annotations

import asyncio
import os
import stat
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.lite_server import LiteServers, open_lite
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.errors import CacheError
from router_extproc.private_files import UMASK
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.listening import listening_ports
from router_extproc.testing.processes import start_process

CLOCK = ManualClock()
LIMIT_S = 60.0


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.fixture
def umask() -> Iterator[None]:
    """As `serve` sets it: Milvus Lite makes its files from threads of its own."""
    before = os.umask(UMASK)
    yield
    os.umask(before)


@pytest.fixture
def servers() -> Iterator[LiteServers]:
    servers = LiteServers()
    yield servers
    servers.release_all()


def socket_of(uri: str) -> Path:
    return Path(uri.removeprefix("unix:"))


async def test_a_folder_of_this_process_is_served_on_a_private_socket_and_no_port(tmp_path: Path) -> None:
    before = listening_ports(os.getpid())
    async with MilvusCache(Milvus(uri=str(tmp_path / "cache.db")), dim=CHECK_DIM, clock=CLOCK) as cache:
        await cache.put([made_entry("a", now_s=CLOCK.wall_s(), vector=unit_vector(1.0))])
        assert listening_ports(os.getpid()) == before


def test_the_socket_is_private_and_goes_with_the_folder(tmp_path: Path, servers: LiteServers) -> None:
    socket = socket_of(servers.start(tmp_path / "cache.db"))
    assert [mode(socket), mode(socket.parent)] == [0o600, 0o700]
    servers.release(tmp_path / "cache.db")
    assert not socket.parent.exists()


def test_a_folder_that_is_open_is_not_opened_again(tmp_path: Path, servers: LiteServers) -> None:
    """A connection that broke is made anew; the server behind it goes on."""
    assert servers.start(tmp_path / "cache.db") == servers.start(tmp_path / "cache.db")


@pytest.mark.usefixtures("umask")
async def test_every_file_with_rows_is_private_before_and_after_the_end(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "cache.db"

    def all_modes() -> set[int]:
        return {mode(each) for each in (folder.parent, *folder.parent.rglob("*"))}

    async with MilvusCache(Milvus(uri=str(folder)), dim=CHECK_DIM, clock=CLOCK) as cache:
        await cache.put([made_entry("a", now_s=CLOCK.wall_s(), vector=unit_vector(1.0))])
        assert any(each.parent.name == "wal" for each in folder.rglob("*"))
        assert all_modes() == {0o600, 0o700}
    assert all_modes() == {0o600, 0o700}


async def test_a_folder_that_others_can_write_is_not_opened_and_opened_once_it_is_closed(
    tmp_path: Path,
) -> None:
    """Also when it becomes so while the sidecar runs: then there is no backend, and no answer from it."""
    folder = tmp_path / "cache.db"
    folder.mkdir(0o777)
    folder.chmod(0o777)
    async with MilvusCache(Milvus(uri=str(folder)), dim=CHECK_DIM, clock=CLOCK) as cache:
        state = await cache.state()
        assert not state.ready
        assert f"every user can write to {folder}" in state.detail
        folder.chmod(0o700)

        async def ready() -> bool:
            return (await cache.state()).ready

        await until(ready)


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not await holds():  # noqa: ASYNC110 - Milvus tells nobody
            await asyncio.sleep(0.05)


def test_a_socket_that_cannot_be_made_does_not_keep_the_folder(tmp_path: Path) -> None:
    """Else the next attempt would find it in use, by ourselves."""
    with pytest.raises(CacheError):
        open_lite(tmp_path / "cache.db", tmp_path / "nowhere" / "lite.sock")
    open_lite(tmp_path / "cache.db", tmp_path / "lite.sock").close()


def test_a_second_process_does_not_take_the_socket_of_the_first(tmp_path: Path) -> None:
    folder, socket = tmp_path / "cache.db", tmp_path / "lite.sock"
    first = open_lite(folder, socket)
    before = socket.stat().st_ino
    with pytest.raises(CacheError, match="open in another process"):
        open_lite(folder, socket)
    assert socket.stat().st_ino == before
    first.close()


def test_what_a_broken_folder_raises_is_an_error_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "cache.db").write_text("no folder")
    with pytest.raises(CacheError, match=r"cannot open .*cache\.db"):
        open_lite(tmp_path / "cache.db", tmp_path / "lite.sock")


def test_the_process_of_its_own_listens_on_no_port_and_keeps_its_files_private(tmp_path: Path) -> None:
    """Whatever umask it was started with."""
    folder, socket = tmp_path / "cache.db", tmp_path / "lite.sock"
    command = [sys.executable, "-m", "router_extproc.process.milvus_lite_server", str(folder), str(socket)]
    process = start_process(
        [*command, "info", "json"], stdin=subprocess.PIPE, stderr=subprocess.PIPE, umask=0
    )
    assert process.stderr is not None
    try:
        assert b"milvus lite serves" in process.stderr.readline()
        assert listening_ports(process.pid) == set()
        assert {mode(each) for each in (folder, *folder.rglob("*"), socket)} == {0o600, 0o700}
    finally:
        process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0
