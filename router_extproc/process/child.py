"""A process that the demo or a supervisor starts, and how it ends.

No child outlives the process that started it, and one that ends by itself is reported with the last lines
that it wrote.
"""

from __future__ import annotations

import asyncio
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, Final, Literal, NoReturn, TypeVar

from router_extproc.errors import RouterError
from router_extproc.private_files import open_private_log
from router_extproc.process import hangup
from router_extproc.process.tied import tied

#: Between the request to stop and the kill.
STOP_S: Final = 12.0
TAIL_LINES: Final = 20
_TAIL_BYTES: Final = 16 * 1024


T = TypeVar("T")


class ChildEnded(RouterError):
    """A child ended although nobody asked it to."""

    def __init__(self, name: str, code: int, log: str) -> None:
        """`code` is its exit code, or minus the signal that killed it; `log` is what it last said."""
        self.ending: Final = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        super().__init__(f"{name} ended ({self.ending}){log}")
        self.code: Final = code


class Child:
    """One process with a log file; made by `start`."""

    def __init__(self, name: str, command: Sequence[str], process: Process, log: Path) -> None:
        self.name: Final = name
        self._command: Final = command
        self._process = process
        self._log: Final = log

    @classmethod
    async def start(cls, name: str, command: Sequence[str], log: Path) -> Child:
        """Start the command; both its outputs go to the log file.

        Its standard input stays open as long as this process lives.
        """
        return cls(name, command, await _spawn(command, log, "wb"), log)

    async def start_again(self) -> None:
        """Start the command once more, after it ended; its log goes on."""
        self._process = await _spawn(self._command, self._log, "ab")

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    async def watch(self) -> NoReturn:
        """Wait until it ends by itself.

        Raises:
            ChildEnded: always, with the tail of its log.
        """
        code = await self._process.wait()
        raise ChildEnded(self.name, code, f"; the end of {self._log}:\n{self.tail()}")

    async def stop(self, *, within_s: float = STOP_S) -> None:
        """Ask it to stop; kill it when it does not in time."""
        if self._process.returncode is not None:
            return
        self._process.terminate()
        try:
            async with asyncio.timeout(within_s):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    def kill(self) -> None:
        """End it now; also when it is stopped."""
        if self._process.returncode is None:
            self._process.kill()

    def tail(self) -> str:
        """The last lines of its log."""
        with self._log.open("rb") as file:
            file.seek(0, 2)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
        return "\n".join(f"  {line}" for line in lines[-TAIL_LINES:])


async def _spawn(command: Sequence[str], log: Path, mode: Literal["ab", "wb"]) -> Process:
    # The sidecar answers SIGHUP once it can; until then the signal waits.
    with open_private_log(log, mode) as out, hangup.held_back():
        return await asyncio.create_subprocess_exec(
            *tied(command, at_end=signal.SIGTERM),
            stdin=PIPE,
            stdout=out,
            stderr=out,
            # Ctrl-C in a terminal goes to the whole group: only the demo shall hear it.
            start_new_session=True,
        )


async def first_of(*works: Coroutine[Any, Any, T]) -> T:  # what a coroutine is sent is nobody's business
    """The result of the work that ends first; the others are cancelled before it is returned."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next(task for task in tasks if task in done).result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
