"""A reload reaches all workers or none, and a refused one changes nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest
from structlog.testing import capture_logs

from router_extproc.config.model import Config
from router_extproc.config.reload import Candidate, Readable, Refused
from router_extproc.errors import ConfigError
from router_extproc.process.alongside import alongside
from router_extproc.process.reload.control import LocalControl, answering
from router_extproc.process.reload.messages import Ask
from router_extproc.process.reload.service import WAITING_MAX, Outcome, ReloadService, resolved
from router_extproc.process.reload.versions import Cause, PolicyVersion, VersionHistory
from router_extproc.testing.clock import ManualClock


def config(default: str = "a", **sections: object) -> Config:
    models = {"a": {"cluster": "a"}, "b": {"cluster": "b"}}
    return Config.model_validate({"version": 1, "default_model": default, "models": models, **sections})


class FakeFleet:
    """Two workers that say what they are told to. Fits Fleet."""

    def __init__(self) -> None:
        self.problems: Mapping[int, tuple[ConfigError, ...]] = {}
        self.fails: Exception | None = None
        self.done: list[str] = []

    async def prepare(self, version: PolicyVersion) -> Mapping[int, Sequence[ConfigError]]:
        self.done.append(f"prepare {version.number}")
        if self.fails is not None:
            raise self.fails
        return {worker: self.problems.get(worker, ()) for worker in (0, 1)}

    def commit(self, version: PolicyVersion) -> None:
        self.done.append(f"commit {version.number}")

    def abandon(self, version: PolicyVersion) -> None:
        self.done.append(f"abandon {version.number}")


class Sidecar:
    """A service over a file and a fleet in this test's hands."""

    def __init__(self) -> None:
        self.file: Candidate = Readable(config())
        self.fleet = FakeFleet()
        self.history = VersionHistory(PolicyVersion(1, config(), "start", 0.0))
        self.service = ReloadService(self._read, self.fleet, self.history, ManualClock())

    async def _read(self) -> Candidate:
        return self.file

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        async with alongside(self.service.run()):
            yield

    async def reload(self, cause: Cause = "file", to: int | None = None) -> Outcome:
        async with self.running():
            return await self.service.ask(cause, to)


@pytest.fixture
def sidecar() -> Sidecar:
    return Sidecar()


async def test_all_workers_prepare_before_any_swaps(sidecar: Sidecar) -> None:
    sidecar.file = Readable(config("b"))
    outcome = await sidecar.reload()
    assert (outcome.result, outcome.version.number) == ("applied", 2)
    assert sidecar.fleet.done == ["prepare 2", "commit 2"]
    assert sidecar.history.in_force.config == config("b")


async def test_one_worker_that_cannot_get_ready_keeps_all_on_the_old_version(sidecar: Sidecar) -> None:
    problem = ConfigError("signals.x", "no model")
    sidecar.file, sidecar.fleet.problems = Readable(config("b")), {1: (problem,)}
    outcome = await sidecar.reload()
    assert (outcome.result, outcome.version.number, outcome.problems) == ("refused", 1, (problem,))
    assert sidecar.fleet.done == ["prepare 2", "abandon 2"]
    assert sidecar.history.in_force.number == 1


async def test_a_problem_that_every_worker_has_is_said_once(sidecar: Sidecar) -> None:
    both = {worker: (ConfigError("signals.x", "no model"),) for worker in (0, 1)}
    sidecar.file, sidecar.fleet.problems = Readable(config("b")), both
    assert len((await sidecar.reload()).problems) == 1


async def test_a_broken_file_reaches_no_worker_and_all_its_problems_are_told(sidecar: Sidecar) -> None:
    sidecar.file = Refused((ConfigError("models.a", "is wrong"), ConfigError("workers", "needs a restart")))
    with capture_logs() as lines:
        outcome = await sidecar.reload("signal")
    told = ["models.a: is wrong", "workers: needs a restart"]
    assert [str(problem) for problem in outcome.problems] == told
    assert sidecar.fleet.done == []
    assert [(line["event"], line["problems"], line["cause"]) for line in lines] == [
        ("reload refused", told, "signal")
    ]
    refused = sidecar.service.shown()["last_refused"]
    assert isinstance(refused, dict)
    assert refused["problems"] == [
        {"path": "models.a", "problem": "is wrong"},
        {"path": "workers", "problem": "needs a restart"},
    ]


async def test_a_file_that_says_the_same_is_no_new_version(sidecar: Sidecar) -> None:
    outcome = await sidecar.reload()
    assert (outcome.result, outcome.version.number) == ("unchanged", 1)
    assert sidecar.fleet.done == []


async def test_a_changed_shadow_policy_is_a_new_version_and_comes_back_with_a_rollback(
    sidecar: Sidecar,
) -> None:
    sidecar.file = Readable(config(), shadow=config("b"))
    assert (await sidecar.reload()).result == "applied"
    assert (await sidecar.reload()).result == "unchanged"
    assert (await sidecar.reload("rollback")).version.shadow is None
    assert (await sidecar.reload("rollback")).version.shadow == config("b")


async def test_a_rollback_brings_the_last_content_back_under_a_new_number(sidecar: Sidecar) -> None:
    sidecar.file = Readable(config("b"))
    await sidecar.reload()
    outcome = await sidecar.reload("rollback")
    assert (outcome.result, outcome.version.number, outcome.version.content_of) == ("rolled_back", 3, 1)
    assert sidecar.history.in_force.config == config()


async def test_there_may_be_nothing_to_go_back_to(sidecar: Sidecar) -> None:
    outcome = await sidecar.reload("rollback")
    assert [problem.problem for problem in outcome.problems] == ["no earlier version is kept"]
    outcome = await sidecar.reload("rollback", 9)
    assert [problem.problem for problem in outcome.problems] == ["no version 9 is kept"]


async def test_each_end_of_a_reload_is_counted(sidecar: Sidecar) -> None:
    await sidecar.reload()
    sidecar.file = Readable(config("b"))
    await sidecar.reload()
    await sidecar.reload("rollback")
    sidecar.file = Refused(())
    await sidecar.reload()
    counts = {"applied": 1, "rolled_back": 1, "unchanged": 1, "refused": 1}
    assert sidecar.service.shown()["reloads"] == counts


async def test_a_bug_while_reloading_ends_neither_the_service_nor_the_version_in_force(
    sidecar: Sidecar,
) -> None:
    sidecar.file, sidecar.fleet.fails = Readable(config("b")), LookupError("of ours")
    assert (await sidecar.reload()).result == "refused"
    assert sidecar.fleet.done == ["prepare 2", "abandon 2"]
    sidecar.fleet.fails = None
    assert (await sidecar.reload()).result == "applied"


async def test_more_reloads_than_may_wait_are_refused_at_once(sidecar: Sidecar) -> None:
    asked = [sidecar.service.ask("admin") for _ in range(WAITING_MAX + 1)]
    assert (await asked[-1]).result == "refused"
    async with sidecar.running():
        results = [(await each).result for each in asked[:-1]]
    assert results == ["unchanged"] * WAITING_MAX


async def test_an_operator_who_does_not_wait_cancels_nothing(sidecar: Sidecar) -> None:
    sidecar.file = Readable(config("b"))
    sidecar.service.ask("admin").cancel()
    assert (await sidecar.reload()).result == "unchanged"
    assert sidecar.history.in_force.number == 2


async def test_operators_are_told_over_the_admin_port(sidecar: Sidecar) -> None:
    control = LocalControl(sidecar.service)
    sidecar.file = Readable(config("b"))
    async with sidecar.running():
        applied, back, state = await control.reload(), await control.rollback(None), await control.state()
    assert isinstance(applied, dict)
    assert isinstance(back, dict)
    assert isinstance(state, dict)
    assert (applied["result"], applied["version"], applied["cause"]) == ("applied", 2, "admin")
    assert (back["result"], back["version"], back["content_of"]) == ("rolled_back", 3, 1)
    assert (state["version"], len(sidecar.history.shown())) == (3, 3)


async def test_an_operator_does_not_wait_for_ever(sidecar: Sidecar) -> None:
    """A model may be on a disk that hangs."""
    told = await LocalControl(sidecar.service, within_s=0.0).reload()
    assert isinstance(told, dict)
    assert told["result"] == "refused"
    assert "still under way" in str(told["problems"])


async def test_a_worker_that_asks_for_an_operator_gets_the_same_answer(sidecar: Sidecar) -> None:
    asked = answering(sidecar.service)
    sidecar.file = Readable(config("b"))
    async with sidecar.running():
        answers = [
            await asked(Ask(1, "reload")),
            await asked(Ask(2, "rollback")),
            await asked(Ask(3, "state")),
        ]
    documents = [answer.document for answer in answers]
    assert [document["version"] for document in documents if isinstance(document, dict)] == [2, 3, 3]
    assert [answer.number for answer in answers] == [1, 2, 3]


def test_what_was_read_from_the_token_file_stays() -> None:
    """The file holds its name; a worker holds the token."""
    token = "correct-horse-battery-staple"
    running, read = config(admin={"token": token}), config(admin={"token_file": "/run/token"})
    found = resolved(Readable(read), running)
    assert isinstance(found, Readable)
    assert found.config.admin.token == token
