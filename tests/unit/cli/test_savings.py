"""The savings command against an admin port."""

from __future__ import annotations

import json

import pytest

from router_extproc.cli import main
from router_extproc.testing.admin import admin_in_thread
from router_extproc.testing.stack import free_address

Output = pytest.CaptureFixture[str]
BASELINE = (
    'router_extproc_baseline_cost_total{baseline="large",bound="%s",decision="easy",source="%s",worker="%d"}'
    " %s\n"
)
OWN = 'router_extproc_answer_cost_total{decision="easy",source="%s",worker="%d"} %s\n'
#: Of two workers: 2 were paid to pools, hits were worth 1, and the baseline would have cost 10 (8 to 16).
METRICS = (
    "# TYPE router_extproc_answer_cost counter\n"
    + OWN % ("pool", 0, 1.5)
    + OWN % ("pool", 1, 0.5)
    + OWN % ("cache", 1, 1.0)
    + "# TYPE router_extproc_baseline_cost counter\n"
    + BASELINE % ("expected", "pool", 0, 6.0)
    + BASELINE % ("expected", "cache", 1, 4.0)
    + BASELINE % ("low", "pool", 0, 8.0)
    + BASELINE % ("high", "pool", 0, 16.0)
    + "# TYPE router_extproc_unthought_cost counter\n"
    + 'router_extproc_unthought_cost_total{decision="easy",model="small",worker="0"} 0.5\n'
)


def run(metrics: str, *options: str) -> int:
    """The exit code of the command against a port with these metrics."""
    with admin_in_thread(None, metrics=metrics.encode()) as address, pytest.raises(SystemExit) as ended:
        main(["savings", "--admin", address, *options])
    return int(ended.value.code or 0)


def test_what_was_saved_is_told_with_its_parts_and_bounds(capsys: Output) -> None:
    assert run(METRICS, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["baselines"] == ["large"]
    assert told["assumed"]["bounds_factor"] == 2
    wanted = {"spent": 2, "baseline": 10, "saved": 8.5, "saved_low": 6, "saved_high": 15, "by_routing": 7}
    assert (
        told["total"]
        == told["decisions"]["easy"]
        == {
            **wanted,
            "by_cache": 1,
            "by_reasoning_off": 0.5,
        }
    )


def test_people_read_a_table_and_what_was_assumed(capsys: Output) -> None:
    assert run(METRICS) == 0
    shown = capsys.readouterr().out
    assert shown.splitlines()[-2].split() == ["all", "2", "10.00", "8.5", "7", "1", "0.5"]
    assert "6 to 15.00 were saved in all" in shown
    assert "Against large for all requests" in shown


def test_without_prices_there_is_nothing_to_tell(capsys: Output) -> None:
    assert run("") == 1
    assert "does `models` have `cost`" in capsys.readouterr().err


def test_a_port_that_nobody_serves_is_an_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["savings", "--admin", free_address()])
    assert ended.value.code == 1
