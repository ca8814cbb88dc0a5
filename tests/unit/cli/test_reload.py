"""The reload command against an admin port."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from structlog.testing import capture_logs

from router_extproc.cli import main
from router_extproc.llm.answer import JsonValue
from router_extproc.testing.admin import admin_in_thread

APPLIED: JsonValue = {"result": "applied", "version": 4, "content_of": None, "problems": []}
REFUSED: JsonValue = {
    "result": "refused",
    "version": 3,
    "content_of": None,
    "problems": [
        {"path": "workers", "problem": "needs a restart", "file": "router.yaml", "line": 2, "column": 1},
        {"path": "", "problem": "worker 1 ended while it prepared"},
    ],
}
Output = pytest.CaptureFixture[str]


class FakeControl:
    """Answers what it is told to. Fits admin.base.PolicyControl."""

    def __init__(self, told: JsonValue) -> None:
        self.told, self.asked = told, list[str]()

    async def state(self) -> JsonValue:
        return self.told

    async def reload(self) -> JsonValue:
        self.asked.append("reload")
        return self.told

    async def rollback(self, to: int | None) -> JsonValue:
        self.asked.append(f"rollback {to}")
        return self.told


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with capture_logs():
        yield


def run(*args: object) -> int:
    """The exit code of the command."""
    with pytest.raises(SystemExit) as ended:
        main(["reload", *(str(arg) for arg in args)])
    return int(ended.value.code or 0)


def port(control: FakeControl) -> AbstractContextManager[str]:
    return admin_in_thread(None, policy=control)


def test_a_reload_says_which_version_is_in_force(capsys: Output) -> None:
    with port(FakeControl(APPLIED)) as admin:
        assert run("--admin", admin) == 0
    assert capsys.readouterr().out == "version 4 is in force\n"


def test_a_refusal_lists_every_problem_with_its_place(capsys: Output) -> None:
    with port(FakeControl(REFUSED)) as admin:
        assert run("--admin", admin) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "refused: version 3 stays in force",
        "router.yaml:2: workers: needs a restart",
        "worker 1 ended while it prepared",
    ]


def test_json_is_what_the_port_says_whatever_came_of_it(capsys: Output) -> None:
    with port(FakeControl(REFUSED)) as admin:
        assert run("--admin", admin, "--json") == 1
    assert json.loads(capsys.readouterr().out) == REFUSED


def test_a_rollback_may_name_a_version(capsys: Output) -> None:
    told: JsonValue = {"result": "rolled_back", "version": 5, "content_of": 2, "problems": []}
    control = FakeControl(told)
    with port(control) as admin:
        assert run("--admin", admin, "--rollback") == 0
        assert run("--admin", admin, "--rollback", "--to", 2) == 0
    assert control.asked == ["rollback None", "rollback 2"]
    assert "version 5 is in force: the content of version 2" in capsys.readouterr().out


def test_a_version_without_rollback_is_wrong_usage() -> None:
    assert run("--to", 2) == 2


def test_nobody_there_is_a_failure(capsys: Output) -> None:
    assert run("--admin", "127.0.0.1:1") == 1
    assert "is the sidecar running?" in capsys.readouterr().err


def test_a_supervisor_that_does_not_answer_is_no_version(capsys: Output) -> None:
    told: JsonValue = {"result": "refused", "problems": [{"path": "", "problem": "silent"}]}
    with port(FakeControl(told)) as admin:
        assert run("--admin", admin) == 1
    assert capsys.readouterr().err == "refused: version ? stays in force\nsilent\n"
