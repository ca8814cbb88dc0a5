"""`router-extproc init`: writes, says what is left to do, and never writes over a file."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from router_extproc.cli import main
from router_extproc.config.read import read_config
from router_extproc.config.starter import PLACEHOLDER
from router_extproc.demo.pool import DemoPool

#: Discard; nobody listens there.
NOBODY = "http://127.0.0.1:9"


def run(*args: object) -> int:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as ended:
        main([str(arg) for arg in args])
    return int(ended.value.code or 0)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("pools", [(f"small={NOBODY}",), (f"small={NOBODY}", f"large={NOBODY}")], ids=len)
def test_what_it_writes_passes_check(pools: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", *pools) == 0
    capsys.readouterr()
    assert run("check", "router.yaml") == 0
    warned = [line for line in capsys.readouterr().err.splitlines() if PLACEHOLDER not in line]
    assert not warned


def test_a_pool_that_does_not_answer_gets_a_placeholder_and_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run("init", f"small={NOBODY}") == 0
    assert read_config(Path("router.yaml")).models["small"].served_name == PLACEHOLDER
    assert f"small: {NOBODY} did not say which model it serves" in capsys.readouterr().err


def test_a_file_that_is_there_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = folder / "router.yaml"
    mine.write_text("mine")
    assert run("init", f"small={NOBODY}") == 2
    assert mine.read_text() == "mine"
    assert "router.yaml is there already" in capsys.readouterr().err


def test_force_writes_over_it_and_out_beside_it(folder: Path) -> None:
    (folder / "router.yaml").write_text("mine")
    assert run("init", f"small={NOBODY}", "--out", "other.yaml") == 0
    assert "router-extproc check other.yaml" in (folder / "other.yaml").read_text()
    assert run("init", f"small={NOBODY}", "--force") == 0
    assert (folder / "router.yaml").read_text() != "mine"


def test_a_folder_that_is_not_there_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("init", f"small={NOBODY}", "--out", "no/router.yaml") == 2
    assert "cannot write no/router.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("pools", "expected"),
    [
        (["http://10.0.0.5:8000"], "write NAME=URL"),
        (["small=10.0.0.5:8000"], "small: write http://HOST:PORT"),
        (["small=http://h:1/v1"], "small: leave out the path"),
        (["auto=http://h:1"], "auto: clients ask for this name"),
        ([f"small={NOBODY}", f"small={NOBODY}"], "small: two pools of one name"),
    ],
)
def test_what_is_no_pool_is_refused_and_nothing_written(
    pools: list[str], expected: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("init", *pools) == 2
    assert expected in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_a_pool_is_asked_for_the_name_of_its_model(capsys: pytest.CaptureFixture[str]) -> None:
    with listening_pool("Qwen/Qwen3-4B") as url:
        assert run("init", f"small={url}", f"large={NOBODY}") == 0
    models = read_config(Path("router.yaml")).models
    assert models["small"].served_name == "Qwen/Qwen3-4B"
    assert "small:" not in capsys.readouterr().err


@contextmanager
def listening_pool(served_name: str) -> Iterator[str]:
    """The URL of a pool in a thread of its own: the command has its own loop."""
    loop, pool = asyncio.new_event_loop(), DemoPool("any", served_name)
    thread = Thread(target=loop.run_forever)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(pool.start(), loop).result(5)
        yield f"http://127.0.0.1:{port}"
    finally:
        asyncio.run_coroutine_threadsafe(pool.aclose(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()
