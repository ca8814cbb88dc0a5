"""What Milvus Lite's process says of why it does not serve, also when it is killed while it says so."""

from __future__ import annotations

from pathlib import Path

from router_extproc.cache.milvus.errors import FolderInUse
from router_extproc.cache.milvus.lite_problem import forget_problem, tell_problem, told_problem


def test_a_problem_that_was_told_is_read_until_it_is_over(tmp_path: Path) -> None:
    socket = tmp_path / "lite.sock"
    tell_problem(socket, FolderInUse("cache", "open in another process"))
    told = told_problem(socket)
    assert told is not None
    assert "open in another process" in str(told)
    forget_problem(socket)
    assert told_problem(socket) is None


def test_half_a_problem_is_none(tmp_path: Path) -> None:
    """The worker then says what it sees itself: nobody answers at the socket."""
    socket = tmp_path / "lite.sock"
    tell_problem(socket, FolderInUse("cache", "open in another process"))
    (file,) = tmp_path.iterdir()
    whole = file.read_bytes()
    for end in range(len(whole)):
        file.write_bytes(whole[:end])
        assert told_problem(socket) is None, end
