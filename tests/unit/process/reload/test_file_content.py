"""A watched file is read when it may have changed, and not otherwise."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from router_extproc.process.reload.file_content import (
    ANYWAY_S,
    SETTLED_S,
    FileContent,
    digest_of,
    standing_of,
)
from router_extproc.process.reload.file_watch import WATCH_S, FileWatch
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.until import until


class Looks:
    """Looks at a file every second, and counts how often it was read."""

    def __init__(self, file: Path) -> None:
        self.clock = ManualClock()
        self.reads = 0
        self._file = file
        self._content = FileContent(self.clock, self.standing, self._digest)

    def standing(self, opened: BinaryIO) -> tuple[int, ...]:
        return standing_of(opened)

    def look(self, after_s: float = WATCH_S) -> bytes:
        self.clock.advance(after_s)
        return self._content.of(self._file)

    def settle(self) -> bytes:
        """Look until it is not read any more."""
        for _ in range(int(SETTLED_S / WATCH_S) + 1):
            content = self.look()
        self.reads = 0
        return content

    def _digest(self, opened: BinaryIO) -> bytes:
        self.reads += 1
        return digest_of(opened)


class Timeless(Looks):
    """On a file system whose times are those of one long step."""

    def standing(self, opened: BinaryIO) -> tuple[int, ...]:
        return standing_of(opened)[:3]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "router.yaml"
    file.write_text("first")
    return file


def test_a_file_that_stands_as_it_did_is_not_read_again(file: Path) -> None:
    """A second of a large file's reading is one that the processor has not for requests."""
    looks = Looks(file)
    first = looks.settle()
    assert [looks.look() for _ in range(5)] == [first] * 5
    assert looks.reads == 0


def in_place(file: Path) -> None:
    """Written later, and no longer."""
    file.write_text("other")
    os.utime(file, ns=(1, 1))


def replaced(file: Path) -> None:
    """As editors do it, with the time of the one before."""
    times = file.stat()
    other = file.with_name("new")
    other.write_text("other")
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    other.replace(file)


def time_set_back(file: Path) -> None:
    """As a copy does it that keeps times."""
    times = file.stat()

    def written() -> bool:
        file.write_text("other")
        os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
        return file.stat().st_ctime_ns != times.st_ctime_ns

    until(written, within_s=5)


def longer(file: Path) -> None:
    """In the same step of time."""
    times = file.stat()
    file.write_text("a longer one")
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("change", [in_place, replaced, time_set_back, longer])
def test_each_way_to_change_a_file_is_found_at_the_next_look(
    change: Callable[[Path], None], file: Path
) -> None:
    looks = Looks(file)
    first = looks.settle()
    change(file)
    assert looks.look() != first


@pytest.mark.parametrize("name", ["..data", "router.yaml"])
def test_a_link_that_is_swapped_is_found_at_the_next_look(name: str, tmp_path: Path) -> None:
    """Kubernetes swaps `..data`, the folder of a mounted ConfigMap."""
    for revision in ("..2026_1", "..2026_2"):
        (tmp_path / revision).mkdir()
        (tmp_path / revision / "router.yaml").write_text(revision)
        os.utime(tmp_path / revision / "router.yaml", ns=(1, 1))
    (tmp_path / "..data").symlink_to("..2026_1")
    (tmp_path / "router.yaml").symlink_to("..data/router.yaml")
    looks = Looks(tmp_path / "router.yaml")
    first = looks.settle()
    target = {"..data": "..2026_2", "router.yaml": "..2026_2/router.yaml"}[name]
    (tmp_path / "swapped").symlink_to(target)
    (tmp_path / "swapped").replace(tmp_path / name)
    assert looks.look() != first


def test_a_change_in_the_same_step_of_time_and_of_the_same_size_is_found(file: Path) -> None:
    """Some file systems count time in steps of two seconds."""
    looks = Timeless(file)
    first = looks.look()
    file.write_text("other")
    assert looks.look() != first


def test_so_is_one_that_was_followed_by_no_look_for_long(file: Path) -> None:
    """The process was stopped, or the machine was busy."""
    looks = Timeless(file)
    first = looks.look()
    file.write_text("other")
    assert looks.look(after_s=10 * SETTLED_S) != first


def test_a_second_change_in_the_same_step_is_found_too(file: Path) -> None:
    looks = Timeless(file)
    looks.settle()
    file.write_text("longer than that")
    second = looks.look()
    file.write_text("longer than this")
    assert looks.look() != second


def test_a_file_system_without_times_is_read_now_and_then(file: Path) -> None:
    looks = Timeless(file)
    first = looks.settle()
    file.write_text("other")
    assert looks.look(after_s=ANYWAY_S) != first


def test_a_file_that_goes_and_comes_back_is_read(file: Path) -> None:
    looks = Looks(file)
    first = looks.settle()
    aside = file.rename(file.with_name("aside"))
    assert looks.look() == b"unreadable: 2"
    aside.rename(file)
    assert looks.look() == first


def test_what_is_no_regular_file_is_not_opened() -> None:
    """Opening a pipe waits for a writer."""
    assert FileContent().of(Path(os.devnull)) == b"no regular file"


def test_a_change_counts_when_it_has_stood_still_also_for_the_watch(file: Path) -> None:
    clock = ManualClock()
    watch = FileWatch([file], FileContent(clock).of)
    file.write_text("other")
    seen = []
    for _ in range(6):
        clock.advance(WATCH_S)
        seen.append(watch.has_changed())
    assert seen == [False, True, False, False, False, False]
