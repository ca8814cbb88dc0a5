"""What signals ask of the demo: to stop, and then to stop at once."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from router_extproc.process import hangup


class Stops:
    """Two events: SIGINT or SIGTERM sets the first, another one the second."""

    def __init__(self) -> None:
        self.asked: Final = asyncio.Event()
        #: Answers under way are not waited for.
        self.at_once: Final = asyncio.Event()

    @contextmanager
    def listening(self, say: Callable[[str], None]) -> Iterator[None]:
        """Hear signals inside the block; SIGHUP is refused unless it means that the terminal was closed."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._ask)
        refused = "SIGHUP ignored: a changed configuration takes effect with the next start"
        answer = hangup.on_hangup(stop=self._ask, otherwise=lambda: say(refused))
        loop.add_signal_handler(signal.SIGHUP, answer)
        try:
            with hangup.delivered():
                yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)

    def _ask(self) -> None:
        (self.at_once if self.asked.is_set() else self.asked).set()
