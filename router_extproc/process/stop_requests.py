"""Signals that stop a worker."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from router_extproc.process import hangup
from router_extproc.telemetry.logging import get_logger

_log = get_logger()


@asynccontextmanager
async def stop_requests(
    *, with_parent: bool = False, at_once: Callable[[], None] | None = None
) -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set; `with_parent` also the end of standard input.

    A supervisor holds the other end of it, so a worker never outlives one that was killed. A second such
    signal calls `at_once`; a worker beside others has none, because a terminal or a service manager tells
    it too what the supervisor tells it. SIGHUP is refused (`process.hangup`).
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def ask() -> None:
        if stop.is_set() and at_once is not None:
            _log.warning("asked to stop once more: streams under way are cut")
            at_once()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    loop.add_signal_handler(signal.SIGHUP, hangup.on_hangup(stop=stop.set, refuse=_refuse_reload))
    if with_parent:
        loop.add_reader(sys.stdin.fileno(), _parent_spoke, stop)
    try:
        with hangup.delivered():
            yield stop
    finally:
        if with_parent:
            loop.remove_reader(sys.stdin.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


def _refuse_reload() -> None:
    _log.warning("SIGHUP ignored: a changed configuration takes effect with a restart")


def _parent_spoke(stop: asyncio.Event) -> None:
    """The supervisor sends nothing more: readable means closed."""
    asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
    stop.set()
