"""Signals that stop a worker."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from router_extproc.process import hangup
from router_extproc.telemetry.logging import get_logger

_log = get_logger()


@asynccontextmanager
async def stop_requests(
    *, at_once: Callable[[], None] | None = None, on_hangup: Callable[[], object] | None = None
) -> AsyncIterator[asyncio.Event]:
    """An event that SIGTERM and SIGINT set.

    A second such signal calls `at_once`; a worker beside others has none, because a terminal or a service
    manager tells it too what the supervisor tells it. SIGHUP calls `on_hangup`, or is ignored with a line in
    the log, unless it means that the terminal is gone (`process.hangup`).
    """
    loop, stop = asyncio.get_running_loop(), asyncio.Event()

    def ask() -> None:
        if stop.is_set() and at_once is not None:
            _log.warning("asked to stop once more: streams under way are cut")
            at_once()
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    answer = hangup.on_hangup(stop=stop.set, otherwise=on_hangup or _ignore)
    loop.add_signal_handler(signal.SIGHUP, answer)
    try:
        with hangup.delivered():
            yield stop
    finally:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.remove_signal_handler(number)


def _ignore() -> None:
    _log.warning("SIGHUP ignored: there is nothing to read again here")
