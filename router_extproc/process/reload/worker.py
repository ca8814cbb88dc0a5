"""One worker's part of a reload: it gets a router ready, and swaps to it when it is told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from router_extproc.app.application import Application
from router_extproc.app.assemble import Router
from router_extproc.app.prepare import prepare, unserved
from router_extproc.errors import ConfigError
from router_extproc.process.alongside import alongside
from router_extproc.process.channel import SupervisorChannel
from router_extproc.process.frames import OUTBOX_MAX
from router_extproc.process.reload.base import Worker
from router_extproc.process.reload.control import RemoteControl
from router_extproc.process.reload.messages import (
    Abandon,
    Adopt,
    Answer,
    Commit,
    Message,
    Prepare,
    Prepared,
    understood,
    write,
)
from router_extproc.process.reload.versions import PolicyVersion
from router_extproc.process.warm_up import warm
from router_extproc.telemetry.logging import get_logger


@dataclass(frozen=True, slots=True)
class _Ready:
    version: PolicyVersion
    router: Router


class WorkerPolicy:
    """The policy of this worker. Fits base.Worker."""

    def __init__(self, application: Application, swapped: Callable[[PolicyVersion], None]) -> None:
        """`swapped` is called in the same step in which requests get the new router."""
        self._application: Final = application
        self._swapped: Final = swapped
        self._ready: _Ready | None = None

    async def prepare(self, version: PolicyVersion) -> Sequence[ConfigError]:
        """See Worker."""
        before = self._application.resources
        try:
            router = await prepare(self._application, version.config, version.shadow, version=version.number)
            if router.resources.signals != before.signals:
                # The first pass through a new model would come too late for a request.
                await warm(unserved(self._application, router), version.config)
        except ConfigError as error:
            return (error,)
        except Exception as error:  # noqa: BLE001 - a bug must not end a worker that serves
            get_logger().error("policy not prepared", error=type(error).__name__)
            return (ConfigError("", f"a worker could not get ready for it ({type(error).__name__})"),)
        self._ready = _Ready(version, router)
        return ()

    def commit(self, number: int) -> None:
        """See Worker."""
        ready, self._ready = self._ready, None
        if ready is None or ready.version.number != number:
            raise RuntimeError(f"version {number} was not prepared")
        self._application.swap(ready.router)
        self._swapped(ready.version)

    def abandon(self, number: int) -> None:
        """See Worker."""
        if self._ready is not None and self._ready.version.number == number:
            self._ready = None


class SupervisedReload:
    """Carries out what the supervisor says, one message after the other."""

    def __init__(
        self,
        worker: Worker,
        channel: SupervisorChannel,
        control: RemoteControl,
        give_up: Callable[[], object],
    ) -> None:
        """`give_up`: end this worker, which cannot work by the version in force."""
        self._worker: Final = worker
        self._channel: Final = channel
        self._control: Final = control
        self._give_up: Final = give_up
        self._messages: Final[asyncio.Queue[Message | None]] = asyncio.Queue(OUTBOX_MAX)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Carry out what is said inside the block."""
        self._channel.hear(self._take)
        async with alongside(self._run()):
            yield

    def _take(self, text: bytes) -> None:
        """Take a message; answers to operators overtake a reload that is under way."""
        message = understood(text)
        if isinstance(message, Answer):
            self._control.answered(message)
        elif self._messages.full():
            # One would be missing from now on: the next start begins with the configuration in force.
            get_logger().error("too many messages about reloads wait: this worker ends")
            self._give_up()
        else:
            self._messages.put_nowait(message)

    async def _run(self) -> None:
        while True:
            await self._carry_out(await self._messages.get())

    async def _carry_out(self, message: Message | None) -> None:
        match message:
            case Prepare(version):
                problems = tuple(await self._worker.prepare(version))
                self._channel.post(write(Prepared(version.number, problems)))
            case Commit(number):
                self._worker.commit(number)
            case Abandon(number):
                self._worker.abandon(number)
            case Adopt(version):
                await self._adopt(version)
            case _:
                get_logger().error("the supervisor said what cannot be understood")

    async def _adopt(self, version: PolicyVersion) -> None:
        problems = await self._worker.prepare(version)
        if not problems:
            self._worker.commit(version.number)
            return
        texts = [problem.located() for problem in problems]
        get_logger().error("policy in force not adopted: this worker ends", problems=texts)
        self._give_up()
