"""The workers of a supervisor: prepared, committed and asked over their channels."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final

from router_extproc.errors import ConfigError
from router_extproc.process.channel import WorkerChannel
from router_extproc.process.reload.messages import (
    Abandon,
    Adopt,
    Answer,
    Ask,
    Commit,
    Prepare,
    Prepared,
    understood,
    write,
)
from router_extproc.process.reload.versions import PolicyVersion
from router_extproc.telemetry.logging import get_logger

#: For all workers to get ready: one of them may have a model to open.
PREPARE_S: Final = 45.0


@dataclass(slots=True)
class _Member:
    """A worker that runs."""

    channel: WorkerChannel
    serves: bool = False
    #: What it is asked to get ready for.
    preparing: tuple[int, asyncio.Future[Sequence[ConfigError]]] | None = None
    #: What it is ready for.
    prepared: int | None = None


class WorkerFleet:
    """Fits Fleet, and process.supervisor.WorkerListener."""

    def __init__(self, prepare_s: float = PREPARE_S) -> None:
        self._asked: Callable[[Ask], asyncio.Future[Answer]] | None = None
        self._prepare_s: Final = prepare_s
        self._members: Final[dict[int, _Member]] = {}

    def answer_with(self, asked: Callable[[Ask], asyncio.Future[Answer]]) -> None:
        """Answer operators' wishes that come by a worker by `asked`."""
        self._asked = asked

    # ── process.supervisor.WorkerListener ─────────────────────────────────────────────────────

    def started(self, worker: int, channel: WorkerChannel) -> None:
        """See WorkerListener."""
        self._members[worker] = _Member(channel)

    def ready(self, worker: int) -> None:
        """See WorkerListener."""
        self._members[worker].serves = True

    def ended(self, worker: int) -> None:
        """See WorkerListener. Whatever it was getting ready for may have been the reason."""
        member = self._members.pop(worker, None)
        if member is not None and member.preparing is not None:
            _resolve(member.preparing[1], (ConfigError("", f"worker {worker} ended while it prepared"),))

    def heard(self, worker: int, message: bytes) -> None:
        """See WorkerListener."""
        member = self._members.get(worker)
        if member is None:
            return
        match understood(message):
            case Prepared(number, problems):
                _take(member, number, problems)
            case Ask() as ask if self._asked is not None:
                self._asked(ask).add_done_callback(partial(_answer, member.channel))
            case _:
                get_logger().error("a worker said what cannot be understood", worker=worker)

    # ── Fleet ─────────────────────────────────────────────────────────────────────────────────

    async def prepare(self, version: PolicyVersion) -> Mapping[int, Sequence[ConfigError]]:
        """See Fleet: of those that serve. One that still starts adopts the version when it is decided."""
        message = write(Prepare(version))
        waiting = {
            worker: _begin(member, version.number, message)
            for worker, member in self._members.items()
            if member.serves
        }
        if waiting:
            await asyncio.wait(waiting.values(), timeout=self._prepare_s)
        return {worker: self._result(worker, future) for worker, future in waiting.items()}

    def _result(self, worker: int, future: asyncio.Future[Sequence[ConfigError]]) -> Sequence[ConfigError]:
        if future.done():
            return future.result()
        return (ConfigError("", f"worker {worker} was not ready for it within {self._prepare_s:g} s"),)

    def commit(self, version: PolicyVersion) -> None:
        """See Fleet."""
        adopt = write(Adopt(version))
        for member in self._members.values():
            is_ready = member.prepared == version.number
            member.channel.post(write(Commit(version.number)) if is_ready else adopt)
            member.preparing = member.prepared = None

    def abandon(self, version: PolicyVersion) -> None:
        """See Fleet."""
        for member in self._members.values():
            if member.preparing is not None or member.prepared is not None:
                member.channel.post(write(Abandon(version.number)))
            member.preparing = member.prepared = None


def _begin(member: _Member, number: int, message: bytes) -> asyncio.Future[Sequence[ConfigError]]:
    future: asyncio.Future[Sequence[ConfigError]] = asyncio.get_running_loop().create_future()
    member.preparing, member.prepared = (number, future), None
    member.channel.post(message)
    return future


def _take(member: _Member, number: int, problems: Sequence[ConfigError]) -> None:
    """A worker has prepared; what it says of a version that nobody waits for any more is dropped."""
    if member.preparing is None or member.preparing[0] != number:
        return
    _, future = member.preparing
    member.preparing, member.prepared = None, None if problems else number
    _resolve(future, problems)


def _resolve(future: asyncio.Future[Sequence[ConfigError]], problems: Sequence[ConfigError]) -> None:
    if not future.done():
        future.set_result(problems)


def _answer(channel: WorkerChannel, answered: asyncio.Future[Answer]) -> None:
    if not answered.cancelled():
        channel.post(write(answered.result()))
