"""The savings command against an admin port."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from router_extproc.cli import main
from router_extproc.pipeline.costs import Account, Amounts
from router_extproc.testing.admin import admin_in_thread
from router_extproc.testing.stack import free_address

Output = pytest.CaptureFixture[str]
Accounts = Mapping[Account, Amounts]
PAID, HITS = Amounts(2.0, 6.0, 8.0, 16.0, 0.5, 1000, 200, 40.0), Amounts(1.0, 4.0, 0, 0, 0, 3000, 400)
#: 2 were paid to pools, hits were worth 1, and the baseline would have cost 10 (8 to 16).
ACCOUNTS: Accounts = {
    Account("decision", "easy", "pool", "small", "large"): PAID,
    Account("decision", "easy", "cache", "small", "large"): HITS,
    Account("tag", "cheap", "pool", "", "large"): PAID,
    Account("tenant", "search", "cache", "", "large"): HITS,
}


def run(accounts: Accounts, *options: str) -> int:
    """The exit code of the command against a port with these accounts."""
    with admin_in_thread(None, accounts=accounts) as address, pytest.raises(SystemExit) as ended:
        main(["savings", "--admin", address, *options])
    return int(ended.value.code or 0)


def test_what_was_saved_is_told_with_its_parts_and_bounds(capsys: Output) -> None:
    assert run(ACCOUNTS, "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["baselines"] == ["large"]
    assert told["assumed"]["bounds_factor"] == 2
    wanted = {"spent": 2, "baseline": 10, "saved": 8.5, "saved_low": 6, "saved_high": 15, "by_routing": 7}
    parts = {"by_cache": 1, "by_reasoning_off": 0.5, "prompt_tokens": 1000, "completion_tokens": 200}
    spared = {"saved_prompt_tokens": 3000, "saved_completion_tokens": 400, "saved_reasoning_tokens": 40}
    assert told["total"] == {**wanted, **parts, **spared}
    assert told["decisions"] == {"easy": told["total"]}
    assert told["models"] == {"small": told["total"]}
    assert (told["tags"]["cheap"]["spent"], told["tenants"]["search"]["saved"]) == (2, 4)


def test_people_read_tables_and_what_was_assumed(capsys: Output) -> None:
    assert run(ACCOUNTS) == 0
    lines = capsys.readouterr().out.splitlines()
    heads = [line.split()[0] for line in lines if "baseline" in line]
    assert heads == ["tenant", "tag", "model", "decision"]
    assert ["all", "2", "10.00", "8.5", "7", "1", "0.5", "1,200", "3,440"] in [line.split() for line in lines]
    assert ["search", "0", "4", "4", "3", "1", "0", "0", "3,400"] in [line.split() for line in lines]
    whole = " ".join(" ".join(lines).split())
    assert "6 to 15.00 were saved in all" in whole
    assert "Against large for all requests" in whole


def test_without_answers_there_is_nothing_to_tell(capsys: Output) -> None:
    assert run({}) == 1
    told = capsys.readouterr()
    assert (told.out, "does `models` have `cost`" in told.err) == ("", True)


def test_without_prices_tokens_are_shown(capsys: Output) -> None:
    assert run({Account("decision", "easy", "cache", "small"): Amounts(prompt_tokens=7)}) == 1
    told = capsys.readouterr()
    assert ["all", "0", "0", "0", "0", "0", "0", "0", "7"] in [line.split() for line in told.out.splitlines()]
    assert "were saved in all" not in told.out
    assert "does `models` have `cost`" in told.err


def test_a_port_that_nobody_serves_is_an_error() -> None:
    with pytest.raises(SystemExit) as ended:
        main(["savings", "--admin", free_address()])
    assert ended.value.code == 1
