"""A supervisor's workers: asked to prepare, then told to commit, abandon or adopt."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.process.channel import WorkerChannel
from router_extproc.process.reload.fleet import WorkerFleet
from router_extproc.process.reload.messages import (
    Abandon,
    Adopt,
    Answer,
    Ask,
    Commit,
    Message,
    Prepare,
    Prepared,
    read,
    write,
)
from router_extproc.process.reload.versions import PolicyVersion

CONFIG = Config.model_validate({"version": 1, "default_model": "a", "models": {"a": {"cluster": "a"}}})
VERSION = PolicyVersion(2, CONFIG, "file", 0.0)
PROBLEM = ConfigError("signals.x", "no model")


class Channel:
    """Keeps what is said to a worker. Stands for WorkerChannel."""

    def __init__(self) -> None:
        self.said: list[Message] = []

    def post(self, message: bytes) -> None:
        self.said.append(read(message))


class Sidecar:
    """A fleet with channels in this test's hands."""

    def __init__(self, prepare_s: float = 60.0) -> None:
        self.fleet = WorkerFleet(prepare_s)
        self.channels: dict[int, Channel] = {}

    def start(self, worker: int, *, ready: bool = True) -> None:
        self.channels[worker] = Channel()
        self.fleet.started(worker, cast("WorkerChannel", self.channels[worker]))
        if ready:
            self.fleet.ready(worker)

    def hear(self, worker: int, message: Message) -> None:
        self.fleet.heard(worker, write(message))

    async def preparing(self) -> asyncio.Task[object]:
        """A preparation that waits for its workers."""
        task = asyncio.ensure_future(self.fleet.prepare(VERSION))
        await asyncio.sleep(0)
        return task


@pytest.fixture
def sidecar() -> Sidecar:
    started = Sidecar()
    for worker in (0, 1):
        started.start(worker)
    return started


async def test_every_worker_that_serves_prepares_and_commits(sidecar: Sidecar) -> None:
    task = await sidecar.preparing()
    for worker in (0, 1):
        assert not task.done()
        sidecar.hear(worker, Prepared(2))
    assert await task == {0: (), 1: ()}
    sidecar.fleet.commit(VERSION)
    said = [Prepare(VERSION), Commit(2)]
    assert [channel.said for channel in sidecar.channels.values()] == [said, said]


async def test_a_worker_that_is_not_ready_for_it_lets_all_abandon(sidecar: Sidecar) -> None:
    task = await sidecar.preparing()
    sidecar.hear(0, Prepared(2))
    sidecar.hear(1, Prepared(2, (PROBLEM,)))
    problems = await task
    assert isinstance(problems, dict)
    assert [str(problem) for problem in problems[1]] == ["signals.x: no model"]
    sidecar.fleet.abandon(VERSION)
    assert sidecar.channels[0].said == [Prepare(VERSION), Abandon(2)]
    assert sidecar.channels[1].said == [Prepare(VERSION)]


async def test_a_worker_that_dies_while_it_prepares_is_in_the_way(sidecar: Sidecar) -> None:
    """Its death may come from what it opened, and would come again in every worker."""
    task = await sidecar.preparing()
    sidecar.hear(0, Prepared(2))
    sidecar.fleet.ended(1)
    assert await task == {0: (), 1: (AnyProblem("worker 1 ended while it prepared"),)}


async def test_a_worker_that_says_nothing_is_not_waited_for_without_end() -> None:
    hasty = Sidecar(prepare_s=0.0)
    hasty.start(0)
    task = await hasty.preparing()
    assert await task == {0: (AnyProblem("worker 0 was not ready for it within 0 s"),)}
    hasty.fleet.abandon(VERSION)
    hasty.hear(0, Prepared(2))
    assert hasty.channels[0].said == [Prepare(VERSION), Abandon(2)]


async def test_a_worker_that_still_starts_adopts_what_was_decided(sidecar: Sidecar) -> None:
    """It was given the version before, and nobody waits for its models."""
    sidecar.start(2, ready=False)
    task = await sidecar.preparing()
    for worker in (0, 1):
        sidecar.hear(worker, Prepared(2))
    assert await task == {0: (), 1: ()}
    sidecar.fleet.commit(VERSION)
    assert sidecar.channels[2].said == [Adopt(VERSION)]


async def test_a_worker_that_came_back_meanwhile_adopts(sidecar: Sidecar) -> None:
    task = await sidecar.preparing()
    for worker in (0, 1):
        sidecar.hear(worker, Prepared(2))
    await task
    sidecar.fleet.ended(1)
    sidecar.start(1)
    sidecar.fleet.commit(VERSION)
    assert sidecar.channels[1].said == [Adopt(VERSION)]


async def test_what_a_worker_says_of_another_version_counts_for_nothing(sidecar: Sidecar) -> None:
    task = await sidecar.preparing()
    sidecar.hear(0, Prepared(1))
    sidecar.hear(1, Prepared(2))
    assert not task.done()
    sidecar.hear(0, Prepared(2))
    assert await task == {0: (), 1: ()}


async def test_an_operators_wish_is_answered_by_the_way_it_came(sidecar: Sidecar) -> None:
    answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
    sidecar.fleet.answer_with(lambda _: answered)
    sidecar.hear(0, Ask(5, "state"))
    answered.set_result(Answer(5, {"version": 2}))
    await asyncio.sleep(0)
    assert sidecar.channels[0].said == [Answer(5, {"version": 2})]


async def test_nonsense_of_a_worker_ends_nothing(sidecar: Sidecar) -> None:
    sidecar.fleet.heard(0, b"nonsense")
    sidecar.fleet.heard(9, b"of nobody")
    task = await sidecar.preparing()
    for worker in (0, 1):
        sidecar.hear(worker, Prepared(2))
    assert await task == {0: (), 1: ()}


class AnyProblem:
    """Equals a problem with this text, which errors by themselves do not."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ConfigError) and str(other) == self._text

    def __hash__(self) -> int:
        return hash(self._text)
