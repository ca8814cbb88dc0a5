"""Who could change what the cache answers: each way in that was thought of, and each that must stay open."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from router_extproc.file_access import NotPrivateError, close_to_others, find_problem

STRANGER = 54321
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """As Milvus Lite has it: a file and a folder with a file."""
    path = tmp_path / "deep" / "cache.db"
    (path / "collections").mkdir(parents=True)
    (path / "LOCK").touch()
    (path / "collections" / "wal").touch()
    close(tmp_path / "deep")
    return path


def close(path: Path) -> None:
    for each in (path, *path.rglob("*")):
        each.chmod(0o700 if each.is_dir() else 0o600)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_private_folder_is_left_as_it_is(folder: Path) -> None:
    assert find_problem(folder) is None
    assert close_to_others(folder) == ()


def test_a_folder_that_is_not_there_yet_is_no_problem(tmp_path: Path) -> None:
    assert close_to_others(tmp_path / "deep" / "cache.db") == ()
    assert not (tmp_path / "deep").exists()


def test_what_others_can_only_read_is_closed(folder: Path) -> None:
    """As earlier versions made it, under the usual umask."""
    for each in (folder, *folder.rglob("*")):
        each.chmod(0o755 if each.is_dir() else 0o644)
    assert find_problem(folder) is None
    assert len(close_to_others(folder)) == 4
    assert [mode(folder), mode(folder / "collections")] == [0o700, 0o700]
    assert [mode(folder / "LOCK"), mode(folder / "collections" / "wal")] == [0o600, 0o600]


@pytest.mark.parametrize("part", [".", "LOCK", "collections", "collections/wal"])
@pytest.mark.parametrize(("bits", "who"), [(0o020, "group"), (0o002, "every user")])
def test_what_others_can_write_is_refused_with_its_name_and_a_way_out(
    folder: Path, part: str, bits: int, who: str
) -> None:
    path = folder / part
    path.chmod(mode(path) | bits)
    with pytest.raises(NotPrivateError, match=f"{who}.* can write to {path}: .*chmod -R go-rwx {folder}"):
        close_to_others(folder)
    assert mode(path) & bits, "nothing is changed before it is trusted"


@needs_root
@pytest.mark.parametrize("part", [".", "LOCK", "collections/wal"])
def test_what_belongs_to_another_user_is_refused(folder: Path, part: str) -> None:
    os.chown(folder / part, STRANGER, -1)
    with pytest.raises(NotPrivateError, match=f"belongs to user {STRANGER}, .*chown -R 0 {folder}"):
        close_to_others(folder)


def test_a_link_inside_is_refused(folder: Path, tmp_path: Path) -> None:
    (folder / "collections" / "link").symlink_to(tmp_path)
    with pytest.raises(NotPrivateError, match="is a link"):
        close_to_others(folder)


def test_a_folder_above_in_which_everybody_may_rename_is_refused(folder: Path) -> None:
    folder.parent.chmod(0o777)
    with pytest.raises(NotPrivateError, match=f"every user can replace .*chmod o-w {folder.parent}"):
        close_to_others(folder)


def test_it_is_refused_there_before_anything_is_made(tmp_path: Path) -> None:
    (tmp_path / "all").mkdir()
    (tmp_path / "all").chmod(0o777)
    assert "every user can replace" in str(find_problem(tmp_path / "all" / "deep" / "cache.db"))


def test_a_sticky_folder_above_is_accepted(folder: Path) -> None:
    """As /tmp: there nobody can rename what is not theirs."""
    folder.parent.chmod(0o1777)
    assert find_problem(folder) is None


def test_a_folder_above_that_the_group_can_write_is_accepted(folder: Path) -> None:
    """As every project folder is where each user has a group of their own."""
    folder.parent.chmod(0o775)
    assert find_problem(folder) is None


def test_ones_own_link_on_the_way_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("deep")
    (folder / "LOCK").chmod(0o644)
    assert close_to_others(tmp_path / "link" / "cache.db") == (folder / "LOCK",)
    folder.chmod(0o770)
    assert f"can write to {folder}" in str(find_problem(tmp_path / "link" / "cache.db"))


@needs_root
def test_another_users_link_on_the_way_is_refused(folder: Path, tmp_path: Path) -> None:
    """It would choose which of our folders the answers come from."""
    link = tmp_path / "cache.db"
    link.symlink_to(folder)
    os.chown(link, STRANGER, -1, follow_symlinks=False)
    assert f"is a link of user {STRANGER}" in str(find_problem(link))


def test_the_way_behind_a_link_is_looked_at_too(folder: Path, tmp_path: Path) -> None:
    folder.parent.chmod(0o777)
    (tmp_path / "link").symlink_to(folder)
    assert "every user can replace" in str(find_problem(tmp_path / "link"))
    (tmp_path / "up").symlink_to(Path("deep") / ".." / "deep" / "cache.db")
    assert "every user can replace" in str(find_problem(tmp_path / "up"))


def test_links_in_a_ring_end(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    assert "cannot look at" in str(find_problem(tmp_path / "a" / "cache.db"))


def as_kubernetes_mounts(path: Path) -> None:
    """What `fsGroup` does to everything in a volume, at each mount."""
    for each in (path, *path.rglob("*")):
        each.chmod(mode(each) | (0o2770 if each.is_dir() else 0o660))


def test_write_access_that_kubernetes_gave_the_pods_own_group_is_taken_back(folder: Path) -> None:
    """Else no pod would start a second time on its volume."""
    as_kubernetes_mounts(folder)
    assert find_problem(folder) is None
    assert len(close_to_others(folder)) == 4
    assert mode(folder) & 0o777 == 0o700
    assert mode(folder / "LOCK") == 0o600


@needs_root
@pytest.mark.parametrize("part", [".", "LOCK"])
def test_a_group_that_is_not_ours_is_never_trusted(folder: Path, part: str) -> None:
    os.chown(folder / part, -1, STRANGER)
    as_kubernetes_mounts(folder)
    assert f"group {STRANGER} can write" in str(find_problem(folder))


def test_even_on_a_volume_not_everybody_may_write(folder: Path) -> None:
    as_kubernetes_mounts(folder)
    (folder / "LOCK").chmod(0o666)
    assert "every user can write" in str(find_problem(folder))


def test_a_file_in_the_place_of_the_folder_is_looked_at_as_well(tmp_path: Path) -> None:
    """Milvus Lite 2 kept everything in one file."""
    path = tmp_path / "cache.db"
    path.touch()
    path.chmod(0o644)
    assert close_to_others(path) == (path,)
    path.chmod(0o606)
    assert "every user can write" in str(find_problem(path))


def test_contents_may_be_left_out(folder: Path) -> None:
    (folder / "LOCK").chmod(0o666)
    assert find_problem(folder, contents=False) is None


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: path.mkdir(0o700)], ids=["pipe", "folder"])
def test_nothing_in_it_makes_the_look_wait(folder: Path, make: Callable[[Path], None]) -> None:
    make(folder / "odd")
    assert find_problem(folder) is None
    close_to_others(folder)
