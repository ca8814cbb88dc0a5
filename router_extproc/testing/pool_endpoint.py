"""One endpoint of a pool as a process that a test may kill, stop and start again (`demo.pool_process`)."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import Final

import httpx

from router_extproc.testing.processes import start_process
from router_extproc.testing.until import until

READY_S: Final = 120.0
STOP_S: Final = 60.0
ASK_S: Final = 5.0


@dataclass(slots=True)
class PoolEndpoint:
    """One endpoint of a pool."""

    name: str
    port: int
    latency_s: float
    word_s: float
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it; returns when it answers."""
        words = (self.name, f"served-{self.name}", str(self.port), str(self.latency_s), str(self.word_s))
        self.process = start_process([sys.executable, "-m", "router_extproc.demo.pool_process", *words])
        until(lambda: _status(f"{self.url}/health") == httpx.codes.OK, within_s=READY_S)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal; after SIGKILL it is gone when this returns."""
        if self.process is not None:
            self.process.send_signal(number)
            if number is signal.SIGKILL:
                self.process.wait(STOP_S)

    def hold(self) -> None:
        """Give no answer, and go on with none, from now on."""
        self.signal(signal.SIGUSR1)

    def release(self) -> None:
        """Answer again: now, or when it is no longer stopped."""
        self.signal(signal.SIGUSR2)

    def seen(self) -> int:
        """Requests that it was sent."""
        count: int = httpx.get(f"{self.url}/demo/seen", trust_env=False, timeout=ASK_S).json()["requests"]
        return count

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process is not None and self.process.poll() is None:
            self.signal(signal.SIGKILL)


def _status(url: str) -> int | None:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=2.0, trust_env=False).status_code
    return None
