"""What is written is its owner's only, from the first byte on, whatever the umask."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from router_extproc.private_files import (
    make_folder,
    open_private_log,
    replacing,
    take_from_others,
    write_private,
)


@pytest.fixture(params=[0o000, 0o022, 0o077], ids=oct, autouse=True)
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_every_folder_that_is_made_is_private(tmp_path: Path) -> None:
    assert make_folder(tmp_path / "a" / "b")
    assert [mode(tmp_path / "a"), mode(tmp_path / "a" / "b")] == [0o700, 0o700]


def test_a_folder_may_be_made_for_others_to_pass(tmp_path: Path) -> None:
    make_folder(tmp_path / "a", 0o755)
    assert mode(tmp_path / "a") == 0o755


def test_a_folder_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a").chmod(0o755)
    assert not make_folder(tmp_path / "a")
    assert mode(tmp_path / "a") == 0o755


def test_a_file_in_the_place_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    with pytest.raises(NotADirectoryError):
        make_folder(tmp_path / "a")


def test_a_file_is_private_while_and_after_it_is_written(tmp_path: Path) -> None:
    with replacing(tmp_path / "a") as file:
        file.write(b"half")
        assert [mode(each) for each in tmp_path.iterdir()] == [0o600]
    assert mode(tmp_path / "a") == 0o600


def test_a_readable_file_is_replaced_by_a_private_one(tmp_path: Path) -> None:
    """Whoever opened the old one before goes on reading that one, not the new text."""
    path = tmp_path / "a"
    path.write_text("old")
    path.chmod(0o644)
    with path.open() as opened_before:
        write_private(path, "new")
        assert (opened_before.read(), path.read_text(), mode(path)) == ("old", "new", 0o600)


def test_a_link_is_replaced_and_what_it_leads_to_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "a").symlink_to(tmp_path / "precious")
    write_private(tmp_path / "a", "new")
    assert (tmp_path / "precious").read_text() == "precious"
    assert (tmp_path / "a").read_text() == "new"


def test_what_breaks_off_leaves_no_file_and_the_old_one(tmp_path: Path) -> None:
    write_private(tmp_path / "a", "old")
    with pytest.raises(ZeroDivisionError), replacing(tmp_path / "a"):
        raise ZeroDivisionError
    assert [each.name for each in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_text() == "old"


def test_nothing_is_overwritten_unless_it_is_meant_to_be(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    with pytest.raises(FileExistsError), replacing(tmp_path / "a", overwrite=False):
        pytest.fail("said before anything is read or written")
    assert (tmp_path / "a").read_text() == "old"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError), replacing(tmp_path / "a", overwrite=False):
        (tmp_path / "a").write_text("somebody's")
    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == {"a": "somebody's"}


def test_a_link_that_leads_nowhere_is_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError), replacing(tmp_path / "a", overwrite=False):
        pass
    assert not (tmp_path / "elsewhere").exists()


def test_a_log_is_private_and_goes_on_or_starts_anew(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("from an earlier version ")
    path.chmod(0o644)
    with open_private_log(path, "ab") as log:
        log.write(b"and on")
    assert (path.read_text(), mode(path)) == ("from an earlier version and on", 0o600)
    with open_private_log(path, "wb") as log:
        log.write(b"anew")
    assert path.read_text() == "anew"


def test_a_log_is_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "a.log").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"a\.log"):
        open_private_log(tmp_path / "a.log", "wb")


def test_rights_of_others_are_taken_and_the_owners_stay(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(0o544)
    assert take_from_others(path)
    assert mode(path) == 0o500
    assert not take_from_others(path)


def test_rights_behind_a_link_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "a").chmod(0o644)
    (tmp_path / "link").symlink_to(tmp_path / "a")
    with pytest.raises(OSError, match="link"):
        take_from_others(tmp_path / "link")
    assert mode(tmp_path / "a") == 0o644
