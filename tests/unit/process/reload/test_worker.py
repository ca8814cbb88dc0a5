"""A worker's part: it carries out what the supervisor says, in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import cast

import pytest
from structlog.testing import capture_logs

from router_extproc.app.application import Application, build
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.pipeline.decision import Forward
from router_extproc.process.channel import SupervisorChannel
from router_extproc.process.frames import OUTBOX_MAX
from router_extproc.process.reload.control import RemoteControl
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
from router_extproc.process.reload.worker import SupervisedReload, WorkerPolicy
from router_extproc.protocol.headers import Headers
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import Reports

BODY = b'{"model": "auto", "messages": [{"role": "user", "content": "now"}]}'
MODELS = {"a": {"cluster": "a"}, "b": {"cluster": "b"}}


def config(default: str, **sections: object) -> Config:
    return Config.model_validate({"version": 1, "default_model": default, "models": MODELS, **sections})


def version(number: int, wanted: Config) -> PolicyVersion:
    return PolicyVersion(number, wanted, "file", 0.0)


async def chosen(application: Application) -> str:
    decision = await application.explain("POST", "/v1/chat/completions", Headers(), BODY)
    assert isinstance(decision, Forward)
    return decision.route.target.model


async def test_nothing_changes_before_the_commit_and_everything_with_it() -> None:
    async with build(config("a"), Reports(), clock=ManualClock()) as application:
        swapped: list[int] = []
        worker = WorkerPolicy(application, lambda version: swapped.append(version.number))
        assert await worker.prepare(version(2, config("b"))) == ()
        assert (await chosen(application), swapped) == ("a", [])
        worker.commit(2)
        assert (await chosen(application), swapped, application.policy.version) == ("b", [2], 2)


async def test_what_cannot_be_opened_is_a_problem_and_changes_nothing() -> None:
    wanted = config(
        "b",
        signals={"topic": {"type": "intent", "model": "no-such-head"}},
        decisions=[{"name": "x", "model": "a", "when": {"topic": True}}],
        encoder={"path": "/nowhere"},
    )
    async with build(config("a"), Reports(), clock=ManualClock()) as application:
        worker = WorkerPolicy(application, lambda _: None)
        assert len(await worker.prepare(version(2, wanted))) == 1
        assert await chosen(application) == "a"


async def test_an_abandoned_version_cannot_come_into_force() -> None:
    async with build(config("a"), Reports(), clock=ManualClock()) as application:
        worker = WorkerPolicy(application, lambda _: None)
        await worker.prepare(version(2, config("b")))
        worker.abandon(2)
        with pytest.raises(RuntimeError):
            worker.commit(2)


class FakeWorker:
    """Notes what it is told. Fits reload.base.Worker."""

    def __init__(self, *problems: ConfigError) -> None:
        self.done: list[str] = []
        self.problems = problems
        self.hold = asyncio.Event()
        self.hold.set()

    async def prepare(self, version: PolicyVersion) -> Sequence[ConfigError]:
        await self.hold.wait()
        self.done.append(f"prepare {version.number}")
        return self.problems

    def commit(self, number: int) -> None:
        self.done.append(f"commit {number}")

    def abandon(self, number: int) -> None:
        self.done.append(f"abandon {number}")


class Supervisor:
    """The other end of the channel. Stands for SupervisorChannel."""

    def __init__(self) -> None:
        self.heard: list[Message] = []
        self.say: Callable[[bytes], None] = lambda _: None

    def hear(self, hear: Callable[[bytes], None]) -> None:
        self.say = hear

    def post(self, message: bytes) -> bool:
        self.heard.append(read(message))
        return True


class Supervised:
    """A worker under a supervisor in this test's hands."""

    def __init__(self, worker: FakeWorker) -> None:
        self.supervisor, self.worker, self.ended = Supervisor(), worker, asyncio.Event()
        channel = cast("SupervisorChannel", self.supervisor)
        self.control = RemoteControl(channel)
        self.reload = SupervisedReload(worker, channel, self.control, self.ended.set)

    def say(self, *messages: Message) -> None:
        for message in messages:
            self.supervisor.say(write(message))


async def settled() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def test_messages_are_carried_out_in_order() -> None:
    supervised, first = Supervised(FakeWorker()), version(2, config("b"))
    async with supervised.reload.running():
        supervised.say(Prepare(first), Commit(2), Prepare(version(3, config("a"))), Abandon(3))
        await settled()
    assert supervised.worker.done == ["prepare 2", "commit 2", "prepare 3", "abandon 3"]
    assert supervised.supervisor.heard == [Prepared(2), Prepared(3)]


async def test_a_worker_that_starts_late_adopts_in_one_step() -> None:
    supervised = Supervised(FakeWorker())
    async with supervised.reload.running():
        supervised.say(Adopt(version(2, config("b"))))
        await settled()
    assert supervised.worker.done == ["prepare 2", "commit 2"]
    assert not supervised.ended.is_set()


async def test_a_worker_that_cannot_adopt_what_is_in_force_ends() -> None:
    """It would serve by another policy than the others; started again, it gets the right one."""
    supervised = Supervised(FakeWorker(ConfigError("signals.x", "no model")))
    async with supervised.reload.running():
        supervised.say(Adopt(version(2, config("b"))))
        await settled()
    assert supervised.worker.done == ["prepare 2"]
    assert supervised.ended.is_set()


async def test_an_operator_is_answered_while_a_model_is_opened() -> None:
    supervised = Supervised(FakeWorker())
    supervised.worker.hold.clear()
    async with supervised.reload.running():
        supervised.say(Prepare(version(2, config("b"))))
        asking = asyncio.ensure_future(supervised.control.state())
        await settled()
        assert supervised.supervisor.heard == [Ask(1, "state")]
        supervised.say(Answer(1, {"version": 1}))
        assert await asking == {"version": 1}
        supervised.say(Answer(1, {"version": 1}))  # nobody waits for it any more


async def test_what_cannot_be_understood_is_in_the_log_and_the_next_message_is_carried_out() -> None:
    """A supervisor of an earlier release may say it, after an upgrade on disk."""
    supervised = Supervised(FakeWorker())
    with capture_logs() as lines:
        async with supervised.reload.running():
            supervised.supervisor.say(b'{"kind": "prepare", "version": {}}')
            supervised.say(Prepare(version(2, config("b"))))
            await settled()
    assert [line["event"] for line in lines] == ["the supervisor said what cannot be understood"]
    assert supervised.supervisor.heard == [Prepared(2)]


async def test_a_worker_for_which_too_many_reloads_wait_ends() -> None:
    """It would go on by another version than the others."""
    supervised = Supervised(FakeWorker())
    async with supervised.reload.running():
        supervised.say(*[Abandon(2)] * OUTBOX_MAX)
        assert not supervised.ended.is_set()
        supervised.say(Abandon(2))
        assert supervised.ended.is_set()


async def test_a_supervisor_that_takes_nothing_is_said_to_be_silent() -> None:
    channel = SupervisorChannel()
    control = RemoteControl(channel)
    assert await control.state() is None
    told = await control.reload()
    assert isinstance(told, dict)
    assert told["result"] == "refused"
