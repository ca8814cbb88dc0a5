"""What systemd wants to hear of a service: that it is ready, that it stops, and that it still moves.

Without `NOTIFY_SOCKET` in the environment nobody wants to hear anything. Source: sd_notify(3).
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

from router_extproc.process.alongside import alongside

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Notifier:
    """Where to report to; made by `of`."""

    #: A path, or @NAME for a socket without one; None: nobody listens.
    address: str | None = None
    #: It restarts a service that is silent for longer; None: it does not watch.
    watchdog_s: float | None = None

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Notifier:
        """The one that started this process."""
        given, pid = environ.get("WATCHDOG_USEC", ""), environ.get("WATCHDOG_PID", "")
        watched = given.isdigit() and int(given) > 0 and pid in ("", str(os.getpid()))
        return cls(environ.get("NOTIFY_SOCKET") or None, int(given) / _MICROSECONDS if watched else None)

    def say(self, state: str) -> None:
        """Report a state; a manager that cannot be reached misses it."""
        if self.address is None:
            return
        name = f"\0{self.address[1:]}" if self.address.startswith("@") else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.setblocking(False)
            sender.sendto(state.encode(), name)

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Inside the block, report twice in each watchdog interval that this event loop moves."""
        async with alongside(self._report()):
            yield

    async def _report(self) -> None:
        while self.watchdog_s is not None:
            self.say(ALIVE)
            await asyncio.sleep(self.watchdog_s / 2)
