"""What sidecars and their Milvus Lite leave for each other: notices in Milvus, and a file beside a socket."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.cache.base import EVERYTHING, Fingerprint, Scope, Selector
from router_extproc.cache.milvus.lite_problem import tell_problem, told_problem
from router_extproc.cache.milvus.notices import (
    WriteNotice,
    purge_notice,
    read_purge,
    read_writes,
    write_notice,
)

WRITES = WriteNotice("w1", (Fingerprint("a" * 64), Fingerprint("b" * 64)))


@pytest.mark.parametrize("selector", [EVERYTHING, Selector(scope=Scope("s"), tag="t", created_max_s=1.5)])
def test_a_purge_is_read_as_it_was_told(selector: Selector) -> None:
    assert read_purge(purge_notice(selector)) == selector


def test_writes_are_read_as_they_were_told() -> None:
    assert read_writes(write_notice(WRITES)) == WRITES


def test_the_form_of_the_last_release_is_read() -> None:
    """Old and new workers share a collection during an upgrade."""
    assert read_writes('{"writer": "w1", "written": ["aa"]}') == WriteNotice("w1", (Fingerprint("aa"),))
    assert read_purge('{"fingerprint": null, "scope": null, "model": "m"}') == Selector(model="m")


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model": 1}', '{"model": "m", "region": "eu"}'])
def test_a_purge_of_another_form_is_nobodys(text: str) -> None:
    """A condition that is not known here must not be left out: more would be purged."""
    assert read_purge(text) is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"writer": "w1"}', '{"writer": "w1", "written": 7}'])
def test_writes_of_another_form_are_nobodys(text: str) -> None:
    assert read_writes(text) is None


def test_a_problem_with_an_unprintable_path_is_told_all_the_same(tmp_path: Path) -> None:
    """Names of files may have bytes that are no UTF-8."""
    socket = tmp_path / "lite.sock"
    tell_problem(socket, OSError("cannot open '/data/\udc80'"))
    told = told_problem(socket)
    assert told is not None
    assert "cannot open" in str(told)


def test_a_problem_that_cannot_be_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "lite.sock.problem").write_text('{"kind": "unheard-of"', encoding="utf-8")
    assert told_problem(tmp_path / "lite.sock") is None
