"""Folders of Milvus Lite that cannot be read, and those that only we cannot have."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from milvus_lite import MilvusLite

from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.errors import FolderInUse
from router_extproc.cache.milvus.settings import Milvus
from router_extproc.cache.milvus.unreadable import ASIDE_MAX, put_aside_if_unreadable
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.clock import ManualClock

CLOCK = ManualClock()
ENTRY = made_entry("kept", now_s=CLOCK.wall_s(), vector=unit_vector(1.0))
COLLECTION = Path("collections") / "semantic_cache"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with one entry, closed in order; not to be changed."""
    folder = tmp_path_factory.mktemp("sound") / "cache.db"

    async def make() -> None:
        async with MilvusCache(Milvus(uri=str(folder)), dim=CHECK_DIM, clock=CLOCK) as cache:
            await cache.start(wait_s=60)
            await cache.put([ENTRY])

    import asyncio  # noqa: PLC0415 - the tests themselves are not asynchronous

    asyncio.run(make())
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "cache.db"))


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def fill_with_garbage(file: Path) -> None:
    file.write_bytes(os.urandom(200))


def make_a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGES: tuple[Callable[[Path], None], ...] = (cut, empty, fill_with_garbage, make_a_folder)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("pattern", ["schema.json", "**/*.parquet", "**/*.idx"])
def test_damaged_file_puts_the_folder_aside(
    folder: Path, pattern: str, damage: Callable[[Path], None]
) -> None:
    damage(next((folder / COLLECTION).glob(pattern)))
    aside = put_aside_if_unreadable(folder, CLOCK)
    assert aside == folder.with_name(f"cache.db.unreadable-{int(CLOCK.wall_s())}")
    assert aside.is_dir()
    assert not folder.exists()


def test_both_manifests_broken_put_the_folder_aside(folder: Path) -> None:
    for file in (folder / COLLECTION).glob("manifest.json*"):
        fill_with_garbage(file)
    assert put_aside_if_unreadable(folder, CLOCK) is not None


@pytest.mark.parametrize("pattern", ["../../LOCK", "manifest.json.prev", "manifest.json"])
def test_damage_that_milvus_lite_gets_over_leaves_the_folder(folder: Path, pattern: str) -> None:
    fill_with_garbage(folder / COLLECTION / pattern)
    assert put_aside_if_unreadable(folder, CLOCK) is None
    assert folder.is_dir()


def test_sound_folder_stays_with_all_it_has(folder: Path) -> None:
    assert put_aside_if_unreadable(folder, CLOCK) is None
    with MilvusLite(str(folder)) as database:
        collection = database.get_collection("semantic_cache")
        collection.load()
        assert len(collection.get([ENTRY.fingerprint])) == 1


def test_folder_that_is_not_there_is_no_trouble(tmp_path: Path) -> None:
    assert put_aside_if_unreadable(tmp_path / "cache.db", CLOCK) is None


def test_collection_whose_making_was_cut_off_is_removed_and_the_rest_stays(folder: Path) -> None:
    """Killed between its folder and its schema: no collection of the name could be made ever after."""
    half = folder / "collections" / "semantic_cache_purges"
    half.mkdir()
    (half / "schema.json.tmp").write_text("{")
    assert put_aside_if_unreadable(folder, CLOCK) is None
    assert not half.exists()
    assert (folder / COLLECTION / "schema.json").exists()


def test_folder_that_is_open_elsewhere_is_left_alone_however_broken(folder: Path) -> None:
    fill_with_garbage(folder / COLLECTION / "schema.json")
    with MilvusLite(str(folder)), pytest.raises(FolderInUse, match="open in another process"):
        put_aside_if_unreadable(folder, CLOCK)
    assert folder.is_dir()


@pytest.mark.parametrize("refusal", [errno.EACCES, errno.ENOSPC, errno.EMFILE, errno.EROFS])
def test_what_the_system_refuses_is_said_and_the_folder_stays(
    folder: Path, refusal: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the system: tests may run as root, who is refused nothing."""

    def refuse(*_: object) -> object:
        raise OSError(refusal, os.strerror(refusal))

    monkeypatch.setattr("router_extproc.cache.milvus.unreadable.MilvusLite", refuse)
    with pytest.raises(OSError, match=os.strerror(refusal)):
        put_aside_if_unreadable(folder, CLOCK)
    assert folder.is_dir()


def test_file_in_place_of_the_folder_is_left_alone(tmp_path: Path) -> None:
    """It may be another program's database."""
    file = tmp_path / "cache.db"
    file.write_bytes(b"SQLite format 3\0")
    with pytest.raises(NotADirectoryError):
        put_aside_if_unreadable(file, CLOCK)
    assert file.read_bytes() == b"SQLite format 3\0"


def test_only_the_newest_folders_are_kept(folder: Path, sound: Path) -> None:
    put_aside = []
    for _ in range(ASIDE_MAX + 2):
        empty(folder / COLLECTION / "schema.json")
        put_aside.append(put_aside_if_unreadable(folder, CLOCK))
        shutil.copytree(sound, folder)
    (foreign := folder.with_name("cache.db.unreadable-notes")).mkdir()
    empty(folder / COLLECTION / "schema.json")
    put_aside.append(put_aside_if_unreadable(folder, CLOCK))
    kept = set(folder.parent.glob("cache.db.unreadable-*"))
    assert kept == {*put_aside[-ASIDE_MAX:], foreign}
