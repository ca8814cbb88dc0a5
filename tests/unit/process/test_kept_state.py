"""The file that workers' knowledge is kept in over a restart."""

from __future__ import annotations

import asyncio
import json
import stat
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import TypeAdapter
from structlog.testing import capture_logs

from router_extproc.pipeline.caching.savings import EntryWorth, Savings, SavingsBatch, Worth
from router_extproc.process.kept_state import FILE, KeptState
from router_extproc.process.shared_ledger import SharedLedger

HIT = EntryWorth("ab", "small", "maths", Worth(1, 0, 10, 5, 0.25))


def kept_in(folder: Path) -> tuple[Savings, KeptState]:
    savings = Savings()
    return savings, KeptState(
        folder, [SharedLedger("savings", savings, TypeAdapter(SavingsBatch), keeper=True)]
    )


def put_aside_in(folder: Path) -> list[str]:
    return [path.read_text() for path in folder.iterdir() if path.name.startswith(f"{FILE}.unreadable-")]


async def test_what_was_written_is_taken_back(tmp_path: Path) -> None:
    savings, state = kept_in(tmp_path / "state")
    savings.add(HIT)
    await state.write()
    again, kept = kept_in(tmp_path / "state")
    kept.read()
    assert again.total == savings.total
    assert [each.fingerprint for each in again.most_valuable()] == ["ab"]


async def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    _, state = kept_in(tmp_path / "state")
    await state.write()
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state", tmp_path / "state" / FILE)]
    assert modes == [0o700, 0o600]


def test_nothing_is_kept_yet(tmp_path: Path) -> None:
    savings, state = kept_in(tmp_path / "state")
    with capture_logs() as lines:
        state.read()
    assert (savings.total, lines) == (Worth(), [])


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{"format": "router-extproc state 1", "val',
        "[]",
        '{"format": "another", "values": {}}',
        '{"format": "router-extproc state 1", "values": {"savings": {"total": {"hits": "many"}}}}',
        '{"format": "router-extproc state 1", "values": {"savings": 5}}',
    ],
)
async def test_a_file_that_cannot_be_read_is_put_aside(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    savings, state = kept_in(tmp_path)
    with capture_logs() as lines:
        state.read()
    assert put_aside_in(tmp_path) == [text]
    assert savings.total == Worth()
    assert [line["event"] for line in lines] == ["kept state not readable"]
    await state.write()
    assert json.loads((tmp_path / FILE).read_text())["format"] == "router-extproc state 1"


def test_a_value_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    """Whichever of them comes first in the file."""
    kept = {"before": {"total": {"hits": 1}}, "damaged": 5, "after": {"total": {"hits": 2}}, "unknown": 5}
    (tmp_path / FILE).write_text(json.dumps({"format": "router-extproc state 1", "values": kept}))
    values = {name: Savings() for name in ("after", "damaged", "before")}
    batch = TypeAdapter(SavingsBatch)
    state = KeptState(
        tmp_path, [SharedLedger(name, each, batch, keeper=True) for name, each in values.items()]
    )
    with capture_logs() as lines:
        state.read()
    assert {name: each.total.hits for name, each in values.items()} == {"before": 1, "damaged": 0, "after": 2}
    assert [line["values"] for line in lines] == [["damaged"]]
    assert not (tmp_path / FILE).exists()


async def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    savings, state = kept_in(tmp_path / "file")
    with capture_logs() as lines:
        for _ in range(3):
            savings.add(HIT)
            await state.write()
    assert [line["event"] for line in lines] == ["state is not kept"]


async def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    _, state = kept_in(tmp_path)
    await state.write()
    (tmp_path / FILE).unlink()
    await state.write()
    assert not (tmp_path / FILE).exists()


class SlowDisk:
    """Notes each text that is written once it lets it go on, and how many were written at one time."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.begun = threading.Event()
        self.written: list[list[str]] = []
        self.at_once: list[int] = []
        self._writing = 0

    def put(self, path: Path, text: Sequence[bytes]) -> None:
        del path
        self._writing += 1
        self.at_once.append(self._writing)
        self.begun.set()
        assert self.goes_on.wait(10)
        entries = json.loads(b"".join(text))["values"]["savings"]["entries"]
        self.written.append([entry["fingerprint"] for entry in entries])
        self._writing -= 1


def slow_state() -> tuple[Savings, KeptState, SlowDisk]:
    savings, disk = Savings(), SlowDisk()
    shared = SharedLedger("savings", savings, TypeAdapter(SavingsBatch), keeper=True)
    return savings, KeptState(Path("state"), [shared], disk.put), disk


async def test_the_event_loop_goes_on_while_the_disk_is_slow() -> None:
    savings, state, disk = slow_state()
    savings.add(HIT)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(state.write())
        await asyncio.to_thread(disk.begun.wait, 10)
        disk.goes_on.set()
    assert disk.written == [["ab"]]


async def test_a_write_that_was_cancelled_never_overtakes_the_last_one() -> None:
    """At SIGTERM a write may be under way: the thread that carries it out cannot be cancelled."""
    savings, state, disk = slow_state()
    savings.add(HIT)
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(state.write())
        await asyncio.to_thread(disk.begun.wait, 10)
        first.cancel()
        savings.add(replace(HIT, fingerprint="later"))
        last = tasks.create_task(state.write())
        await asyncio.wait([last], timeout=0.05)
        assert not last.done()
        disk.goes_on.set()
    assert (disk.written, disk.at_once) == ([["ab"], ["ab", "later"]], [1, 1])


async def test_two_writes_at_once_are_written_in_their_order() -> None:
    """The first one is large, and is encoded for longer."""
    savings, state, disk = slow_state()
    disk.goes_on.set()
    for number in range(3000):
        savings.add(replace(HIT, fingerprint=f"{number}"))
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(state.write())
        await asyncio.sleep(0)
        savings.move_out()
        savings.add(HIT)
        tasks.create_task(state.write())
    assert [len(entries) for entries in disk.written] == [3000, 1]
    assert disk.at_once == [1, 1]
