"""Folders of runs that were killed go, and nobody else's do."""

from __future__ import annotations

import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from router_extproc.errors import ConfigError
from router_extproc.socket_folders import LOCK, PREFIX, remove_left_behind, socket_folder

STRANGER = 54321


@pytest.fixture
def tmp_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Short: the path of a socket has 107 bytes at most."""
    return tmp_path_factory.mktemp("s")


def left_behind(base: Path, name: str = "killed") -> Path:
    """What a killed run leaves: its lock, which nobody holds now, and a socket on which nobody listens."""
    folder = base / f"{PREFIX}{name}"
    folder.mkdir(0o700)
    folder.chmod(0o700)
    (folder / LOCK).touch(0o600)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(folder / "0.sock"))
    return folder


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """A lock is of the open file, so this is as good as another process."""
    with (folder / LOCK).open("rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_the_folder_is_private_and_goes_with_the_block(tmp_path: Path) -> None:
    with socket_folder(tmp_path) as folder:
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {each.name: stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {LOCK: 0o600}
        (folder / "0.sock").touch()
    assert list(tmp_path.iterdir()) == []


def test_what_a_killed_run_left_goes_at_the_next_start(tmp_path: Path) -> None:
    left = left_behind(tmp_path)
    with socket_folder(tmp_path):
        assert not left.exists()


def test_a_run_does_not_take_another_ones_folder(tmp_path: Path) -> None:
    with socket_folder(tmp_path) as one, socket_folder(tmp_path) as other:
        assert remove_left_behind(tmp_path) == ()
        assert one.exists()
        assert other.exists()


def test_a_folder_whose_lock_is_held_stays(tmp_path: Path) -> None:
    left = left_behind(tmp_path)
    with held(left):
        assert remove_left_behind(tmp_path) == ()
    assert remove_left_behind(tmp_path) == (left,)


def test_a_folder_in_which_somebody_still_answers_stays(tmp_path: Path) -> None:
    """Workers drain for a while after their supervisor was killed."""
    left = left_behind(tmp_path)
    with closing(socket.socket(socket.AF_UNIX)) as server:
        server.bind(str(left / "1.sock"))
        server.listen()
        assert remove_left_behind(tmp_path) == ()
    assert remove_left_behind(tmp_path) == (left,)


def without_lock(left: Path, _: Path) -> None:
    """Of an earlier version, or between its making and its lock."""
    (left / LOCK).unlink()


def with_a_link_for_a_lock(left: Path, outside: Path) -> None:
    (left / LOCK).unlink()
    (outside / "lock").touch()
    (left / LOCK).symlink_to(outside / "lock")


def with_a_pipe_for_a_lock(left: Path, _: Path) -> None:
    (left / LOCK).unlink()
    os.mkfifo(left / LOCK)


def with_another_mode(left: Path, _: Path) -> None:
    left.chmod(0o755)


def as_a_link(left: Path, outside: Path) -> None:
    left.rename(outside / left.name)
    left.symlink_to(outside / left.name)


def with_another_name(left: Path, _: Path) -> None:
    left.rename(left.with_name("router-extproc"))


@pytest.mark.parametrize(
    "made",
    [
        without_lock,
        with_a_link_for_a_lock,
        with_another_mode,
        as_a_link,
        with_another_name,
    ],
)
def test_what_does_not_look_like_ours_stays(tmp_path: Path, made: object) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    base.mkdir()
    outside.mkdir()
    left = left_behind(base)
    assert callable(made)
    made(left, outside)
    before = sorted(tmp_path.rglob("*"))
    assert remove_left_behind(base) == ()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_pipe_in_the_place_of_the_lock_does_not_hold_the_start_up(tmp_path: Path) -> None:
    with_a_pipe_for_a_lock(left_behind(tmp_path), tmp_path)
    remove_left_behind(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_another_users_folder_stays(tmp_path: Path) -> None:
    left = left_behind(tmp_path)
    os.chown(left, STRANGER, -1)
    assert remove_left_behind(tmp_path) == ()
    assert (left / "0.sock").exists()


def test_links_inside_go_and_what_they_lead_to_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    left = left_behind(tmp_path)
    (left / "file").symlink_to(tmp_path / "precious" / "file")
    (left / "folder").symlink_to(tmp_path / "precious")
    assert remove_left_behind(tmp_path) == (left,)
    assert (tmp_path / "precious" / "file").exists()


def test_a_folder_inside_is_not_ours_to_remove(tmp_path: Path) -> None:
    left = left_behind(tmp_path)
    (left / "deep").mkdir()
    (left / "deep" / "file").touch()
    assert remove_left_behind(tmp_path) == ()
    assert (left / "deep" / "file").exists()


def test_a_name_too_long_for_sockets_is_said(tmp_path: Path) -> None:
    base = tmp_path / ("x" * 100)
    base.mkdir()
    with pytest.raises(ConfigError, match=r"TMPDIR: .* is too long"), socket_folder(base):
        pytest.fail("no socket fits into it")
    assert list(base.iterdir()) == []


def test_a_temporary_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"TMPDIR: .* No such file"), socket_folder(tmp_path / "nowhere"):
        pytest.fail("there is no folder")
