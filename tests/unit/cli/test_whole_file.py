"""What a command writes for others is there whole, or as it was before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from router_extproc.cli.whole_file import whole_file


def write(path: Path, text: bytes) -> None:
    with whole_file(path) as file:
        file.write(text)


def test_a_reader_never_sees_half_of_it(tmp_path: Path) -> None:
    """Half an Envoy configuration may well be a valid one."""
    path = tmp_path / "bootstrap.yaml"
    path.write_bytes(b"old")
    with whole_file(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"


def test_an_error_in_the_middle_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "predictions.jsonl"
    path.write_bytes(b"old")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"ne", None])  # type: ignore[list-item]  # what is wrong with it
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"old"]


def test_it_keeps_its_mode_and_a_new_one_has_that_of_the_umask(tmp_path: Path) -> None:
    """Envoy runs as another user, who must still be able to read it."""
    kept, new = tmp_path / "kept", tmp_path / "new"
    kept.touch()
    kept.chmod(0o640)
    before = os.umask(0o022)
    try:
        write(kept, b"")
        write(new, b"")
    finally:
        os.umask(before)
    assert [path.stat().st_mode & 0o777 for path in (kept, new)] == [0o640, 0o644]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """Configurations are switched by links."""
    path, target = tmp_path / "link", tmp_path / "target"
    path.symlink_to(target)
    write(path, b"new")
    assert path.is_symlink()
    assert target.read_bytes() == b"new"


def test_a_device_is_written_in_place() -> None:
    write(Path(os.devnull), b"gone")
    assert not Path(os.devnull).is_file()


def test_a_pipe_is_written_in_place_by_its_link() -> None:
    """`--out /dev/stdout | less`: what the link resolves to is no path."""
    end, own = os.pipe()
    try:
        write(Path(f"/dev/fd/{own}"), b"whole")
        assert os.read(end, 16) == b"whole"
    finally:
        os.close(end)
        os.close(own)
