"""What operators may do with the policy, from the worker that has the admin port."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Final

from router_extproc.errors import ConfigError
from router_extproc.llm.answer import JsonValue
from router_extproc.process.channel import SupervisorChannel
from router_extproc.process.reload.fleet import PREPARE_S
from router_extproc.process.reload.messages import Answer, Ask, Wish, write, write_problems
from router_extproc.process.reload.service import Outcome, ReloadService

#: For a reload that waits for another one. One that takes longer goes on, and nobody is told how it ended.
RELOAD_S: Final = 2 * PREPARE_S
#: For the supervisor to tell the version in force.
STATE_S: Final = 1.0
_SILENT: Final = ConfigError("", "the supervisor does not answer")
_LATE: Final = ConfigError("", "the reload is still under way: ask for the version in force")


class LocalControl:
    """Where this process is the only one. Fits admin.base.PolicyControl."""

    def __init__(self, service: ReloadService, within_s: float = RELOAD_S) -> None:
        self._service: Final = service
        self._within_s: Final = within_s

    async def state(self) -> JsonValue:
        """See PolicyControl."""
        return self._service.shown()

    async def reload(self) -> JsonValue:
        """See PolicyControl."""
        return await self._outcome(self._service.ask("admin"))

    async def rollback(self, to: int | None) -> JsonValue:
        """See PolicyControl."""
        return await self._outcome(self._service.ask("rollback", to))

    async def _outcome(self, outcome: asyncio.Future[Outcome]) -> JsonValue:
        try:
            async with asyncio.timeout(self._within_s):
                return (await asyncio.shield(outcome)).shown()
        except TimeoutError:
            return _refused(_LATE)


class RemoteControl:
    """Asks the supervisor. Fits admin.base.PolicyControl."""

    def __init__(self, channel: SupervisorChannel) -> None:
        self._channel: Final = channel
        self._numbers: Final = count(1)
        self._waiting: Final[dict[int, asyncio.Future[JsonValue]]] = {}

    async def state(self) -> JsonValue:
        """See PolicyControl."""
        return await self._ask("state", None, STATE_S)

    async def reload(self) -> JsonValue:
        """See PolicyControl."""
        return await self._ask("reload", None, RELOAD_S) or _refused(_SILENT)

    async def rollback(self, to: int | None) -> JsonValue:
        """See PolicyControl."""
        return await self._ask("rollback", to, RELOAD_S) or _refused(_SILENT)

    def answered(self, answer: Answer) -> None:
        """Take the supervisor's answer; one that nobody waits for any more is dropped."""
        future = self._waiting.get(answer.number)
        if future is not None and not future.done():
            future.set_result(answer.document)

    async def _ask(self, wish: Wish, to: int | None, timeout_s: float) -> JsonValue:
        number = next(self._numbers)
        future: asyncio.Future[JsonValue] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            if not self._channel.post(write(Ask(number, wish, to))):
                return None
            async with asyncio.timeout(timeout_s):
                return await future
        except TimeoutError:
            return None
        finally:
            del self._waiting[number]


def _refused(problem: ConfigError) -> JsonValue:
    return {"result": "refused", "problems": write_problems([problem])}


def answering(service: ReloadService) -> Callable[[Ask], asyncio.Future[Answer]]:
    """Answers what came from a worker's admin port."""

    def asked(ask: Ask) -> asyncio.Future[Answer]:
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        if ask.wish == "state":
            answered.set_result(Answer(ask.number, service.shown()))
            return answered

        def take(outcome: asyncio.Future[Outcome]) -> None:
            answered.set_result(Answer(ask.number, outcome.result().shown()))

        service.ask("admin" if ask.wish == "reload" else "rollback", ask.to).add_done_callback(take)
        return answered

    return asked
