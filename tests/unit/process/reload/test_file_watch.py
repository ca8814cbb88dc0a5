"""A change of a file is seen once, and only when it stands still."""

from __future__ import annotations

import asyncio
import os
import threading
from pathlib import Path

import pytest

from router_extproc.process.alongside import alongside
from router_extproc.process.reload.file_watch import FileWatch

FILE = Path("router.yaml")


class Disk:
    """Files by name, in this test's hands."""

    def __init__(self) -> None:
        self.files = {FILE: b"first"}

    def content(self, file: Path) -> bytes:
        return self.files.get(file, b"absent")


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def watch(disk: Disk) -> FileWatch:
    return FileWatch([FILE], disk.content)


def looks(watch: FileWatch, count: int = 3) -> list[bool]:
    return [watch.has_changed() for _ in range(count)]


def test_what_was_read_at_the_start_is_no_change(watch: FileWatch) -> None:
    assert looks(watch) == [False, False, False]


def test_a_change_is_seen_once_it_has_stood_still(watch: FileWatch, disk: Disk) -> None:
    disk.files[FILE] = b"second"
    assert looks(watch) == [False, True, False]


def test_a_file_that_is_being_written_is_left_alone(watch: FileWatch, disk: Disk) -> None:
    """Half a file would be refused, with a line in the log that helps nobody."""
    seen = []
    for part in (b"h", b"ha", b"half"):
        disk.files[FILE] = part
        seen.append(watch.has_changed())
    assert seen == [False, False, False]
    assert looks(watch) == [True, False, False]


def test_a_change_that_is_taken_back_at_once_is_none(watch: FileWatch, disk: Disk) -> None:
    disk.files[FILE] = b"second"
    assert watch.has_changed() is False
    disk.files[FILE] = b"first"
    assert looks(watch) == [False, False, False]


def test_a_file_that_goes_and_comes_back_changed_is_a_change(watch: FileWatch, disk: Disk) -> None:
    """As an editor does it that writes another file and renames it."""
    del disk.files[FILE]
    assert watch.has_changed() is False
    disk.files[FILE] = b"second"
    assert looks(watch) == [False, True, False]


def test_what_somebody_else_has_read_meanwhile_is_no_change(watch: FileWatch, disk: Disk) -> None:
    """A reload by hand reads the file before the next look."""
    disk.files[FILE] = b"second"
    watch.note()
    assert looks(watch) == [False, False, False]


def test_kubernetes_swapping_its_link_is_a_change(tmp_path: Path) -> None:
    """A mounted ConfigMap: router.yaml -> ..data/router.yaml, ..data -> ..2026_1, which is swapped whole."""
    for revision in ("..2026_1", "..2026_2"):
        (tmp_path / revision).mkdir()
        (tmp_path / revision / "router.yaml").write_text(revision)
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "router.yaml").symlink_to("..data/router.yaml")
    watch = FileWatch([tmp_path / "router.yaml"])
    (tmp_path / "..data_tmp").symlink_to("..2026_2")
    os.replace(tmp_path / "..data_tmp", tmp_path / "..data")  # noqa: PTH105 - as kubelet renames it
    assert looks(watch) == [False, True, False]


def test_a_file_that_cannot_be_read_is_a_change_and_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "router.yaml"
    file.write_text("first")
    watch = FileWatch([file])
    file.unlink()
    assert looks(watch) == [False, True, False]


async def test_the_event_loop_goes_on_while_a_file_is_read() -> None:
    """A file may be large, or on a server that does not answer."""
    reading, read_on = threading.Event(), threading.Event()
    contents = [b"first"]

    def content(_: Path) -> bytes:
        if len(contents) > 1:
            reading.set()
            assert read_on.wait(10)
        return contents[-1]

    watch = FileWatch([FILE], content)
    contents.append(b"second")
    changed = asyncio.Event()
    async with alongside(watch.run(changed.set)):
        assert await asyncio.to_thread(reading.wait, 10)
        assert not changed.is_set()
        read_on.set()
        async with asyncio.timeout(10):
            await changed.wait()
