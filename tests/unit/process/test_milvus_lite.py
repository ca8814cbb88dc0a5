"""Which workers ask the Milvus Lite process, which open the folder themselves, and who else may touch it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from router_extproc.cli import main
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.errors import ConfigError
from router_extproc.process.milvus_lite import asking_lite, lite_problems, prepare_lite

LITE = {"connection": {"uri": "/data/cache.db"}}
PEERS = Path("/run/peers")


def config(workers: int, **cache: Any) -> Config:
    return Config.model_validate(
        {
            "version": 1,
            "workers": workers,
            "default_model": "small",
            "models": {"small": {"cluster": "small"}},
            "semantic_cache": {"enabled": True, "backend_type": "milvus", "milvus": LITE, **cache},
        }
    )


def test_several_workers_ask_one_process() -> None:
    milvus = asking_lite(config(2), PEERS).semantic_cache.milvus
    assert milvus is not None
    assert milvus.connection.uri == "unix:/run/peers/milvus-lite.sock"


@pytest.mark.parametrize(
    "alone",
    [
        config(1),
        config(2, enabled=False),
        config(2, backend_type="memory"),
        config(2, milvus=None),
        config(2, milvus={"connection": {"uri": "http://milvus:19530"}}),
    ],
    ids=["one worker", "off", "memory", "default server", "a server"],
)
def test_nothing_changes_where_no_folder_is_shared(alone: Config) -> None:
    assert asking_lite(alone, PEERS) is alone


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "cache.db"
    path.mkdir(0o700)
    return path


def on(folder: Path, workers: int = 1) -> Config:
    return config(workers, milvus={"connection": {"uri": str(folder)}})


@pytest.mark.parametrize("workers", [1, 2])
def test_a_folder_that_others_can_write_is_refused_at_start(folder: Path, workers: int) -> None:
    folder.chmod(0o777)
    with pytest.raises(ConfigError, match=rf"connection\.uri: every user can write to {folder}.*chmod"):
        prepare_lite(on(folder, workers))


def test_a_folder_that_others_can_read_is_closed_and_that_is_said_once(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As an earlier version made it."""
    folder.chmod(0o755)
    prepare_lite(on(folder))
    prepare_lite(on(folder))
    assert folder.stat().st_mode & 0o777 == 0o700
    shown = capsys.readouterr()
    assert (shown.out + shown.err).count("milvus lite folder closed to other users") == 1


def test_a_first_start_needs_no_folder(tmp_path: Path) -> None:
    prepare_lite(on(tmp_path / "deep" / "cache.db"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("changes", [{"enabled": False}, {"backend_type": "memory"}])
def test_a_folder_that_is_not_used_is_not_looked_at(folder: Path, changes: dict[str, Any]) -> None:
    folder.chmod(0o777)
    prepare_lite(config(1, milvus={"connection": {"uri": str(folder)}}, **changes))


def test_check_finds_what_would_be_refused_and_changes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder.chmod(0o777)
    assert len(list(lite_problems(on(folder)))) == 1
    file = folder.parent / "router.yaml"
    file.write_text(on(Path("cache.db")).model_dump_json(exclude_defaults=True))
    with pytest.raises(SystemExit, match="2"):
        main(["check", str(file)])
    assert f"every user can write to {folder}" in capsys.readouterr().err
    assert folder.stat().st_mode & 0o777 == 0o777


def test_links_of_others_on_the_way_are_not_hidden_by_reading_the_configuration(folder: Path) -> None:
    """What is looked at is the path as written, not what it leads to now."""
    (folder.parent / "all").mkdir()
    (folder.parent / "all").chmod(0o777)
    (folder.parent / "all" / "link.db").symlink_to(folder)
    file = folder.parent / "router.yaml"
    file.write_text(on(Path("all/link.db")).model_dump_json(exclude_defaults=True))
    assert "every user can replace" in str(next(lite_problems(read_config(file))))
