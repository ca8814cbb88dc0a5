"""The file that workers' knowledge is kept in over a restart."""

from __future__ import annotations

import json
import stat
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


def test_what_was_written_is_taken_back(tmp_path: Path) -> None:
    savings, state = kept_in(tmp_path / "state")
    savings.add(HIT)
    state.write()
    again, kept = kept_in(tmp_path / "state")
    kept.read()
    assert again.total == savings.total
    assert [each.fingerprint for each in again.most_valuable()] == ["ab"]


def test_it_is_for_its_owner_only(tmp_path: Path) -> None:
    _, state = kept_in(tmp_path / "state")
    state.write()
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
def test_a_file_that_cannot_be_read_is_put_aside(text: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(text)
    savings, state = kept_in(tmp_path)
    with capture_logs() as lines:
        state.read()
    aside = [path for path in tmp_path.iterdir() if path.name.startswith(f"{FILE}.unreadable-")]
    assert [path.read_text() for path in aside] == [text]
    assert savings.total == Worth()
    assert [line["event"] for line in lines] == ["kept state not readable"]
    state.write()
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


def test_a_folder_that_cannot_be_made_is_said_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    savings, state = kept_in(tmp_path / "file")
    with capture_logs() as lines:
        for _ in range(3):
            savings.add(HIT)
            state.write()
    assert [line["event"] for line in lines] == ["state is not kept"]


def test_what_has_not_changed_is_not_written_again(tmp_path: Path) -> None:
    _, state = kept_in(tmp_path)
    state.write()
    (tmp_path / FILE).unlink()
    state.write()
    assert not (tmp_path / FILE).exists()
