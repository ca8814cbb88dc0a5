"""A real Envoy in a process of its own: started, waited for, asked for its counters, stopped.

Every wait has a limit, and whatever was started is gone when the block is left, however it is left.
"""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from router_extproc.address import parse_tcp
from router_extproc.errors import ConfigError, RouterError
from router_extproc.process.envoy import envoy_binary
from router_extproc.testing.processes import start_process

#: A loaded machine takes a few seconds; longer means that Envoy waits for something.
READY_S: Final = 90.0
#: From SIGTERM to SIGKILL.
STOP_S: Final = 5.0
_POLL_S: Final = 0.02
_CONNECT_S: Final = 1.0
_LOG_TAIL_LINES: Final = 15
#: Envoy's default is 10 s: whoever looks for the line of a request would wait so long.
_ACCESS_LOG_FLUSH_MS: Final = 500


class EnvoyFailed(RouterError):
    """Envoy ended, or was not ready in time; the message has the end of its log."""


@dataclass(frozen=True, slots=True)
class EnvoyProcess:
    """A running Envoy."""

    process: subprocess.Popen[bytes]
    #: HOST:PORT for clients.
    listen: str
    #: HOST:PORT of its admin interface; None: off.
    admin: str | None
    log: Path

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"http://{self.listen}"

    def counters(self, prefix: str = "") -> dict[str, int]:
        """Its counters and gauges whose name starts with `prefix`; needs the admin interface."""
        if self.admin is None:
            raise EnvoyFailed("envoy.admin is off: no counters")
        with urllib.request.urlopen(f"http://{self.admin}/stats?format=text", timeout=_CONNECT_S) as answer:
            lines = answer.read().decode().splitlines()
        pairs = (line.split(": ", 1) for line in lines if line.startswith(prefix))
        return {name: int(value) for name, value in pairs if value.isdigit()}

    def log_text(self) -> str:
        """What it has logged so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")


@contextmanager
def running_envoy(
    bootstrap: Path, *, listen: str, admin: str | None, log: Path, concurrency: int = 1
) -> Iterator[EnvoyProcess]:
    """Envoy inside the block, ready for clients.

    `listen` and `admin` are those of the bootstrap; `log` gets its log and its access log.

    Raises:
        ConfigError: the address for clients is taken.
        EnvoyFailed: it does not start.
    """
    _check_free(listen)
    options = ["-c", str(bootstrap), "-l", "warning", "--concurrency", str(concurrency)]
    options += ["--disable-hot-restart", "--file-flush-interval-msec", str(_ACCESS_LOG_FLUSH_MS)]
    command = [envoy_binary(), *options]
    with log.open("wb") as output:
        process = start_process(command, stdout=output, stderr=output)
    envoy = EnvoyProcess(process, listen, admin, log)
    try:
        _wait_until_ready(envoy)
        yield envoy
    finally:
        _stop(process)


def validate(bootstrap: Path) -> str | None:
    """What Envoy has against a configuration; None: it accepts it."""
    command = [envoy_binary(), "--mode", "validate", "-c", str(bootstrap)]
    done = subprocess.run(  # noqa: S603 - our own arguments
        command, capture_output=True, timeout=READY_S, check=False
    )
    return None if done.returncode == 0 else _tail(done.stderr.decode(errors="replace"))


def _check_free(listen: str) -> None:
    """Envoy shares a port that another Envoy has without a word (SO_REUSEPORT); we do not."""
    with socket.socket() as probe:
        probe.settimeout(_CONNECT_S)
        if probe.connect_ex(_address(listen)) == 0:
            raise ConfigError("envoy.listen", f"{listen} is in use; stop what has it, or choose another port")


def _wait_until_ready(envoy: EnvoyProcess) -> None:
    """Envoy opens its listener when it has heard of every cluster once."""
    give_up_s = time.monotonic() + READY_S
    while not _accepts(envoy.listen):
        if envoy.process.poll() is not None:
            raise EnvoyFailed(f"Envoy ended at once:\n{_tail(envoy.log_text())}")
        if time.monotonic() > give_up_s:
            raise EnvoyFailed(f"Envoy was not ready in {READY_S:.0f} s:\n{_tail(envoy.log_text())}")
        time.sleep(_POLL_S)


def _accepts(listen: str) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(_address(listen), timeout=_CONNECT_S):
        return True
    return False


def _address(listen: str) -> tuple[str, int]:
    address = parse_tcp(listen)
    if address is None:
        raise ConfigError("envoy.listen", f"must be HOST:PORT, got {listen!r}")
    return ("127.0.0.1" if address.is_on_all_interfaces else address.host), address.port


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S)


def _tail(text: str) -> str:
    return "\n".join(text.splitlines()[-_LOG_TAIL_LINES:])
