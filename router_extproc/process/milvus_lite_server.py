"""Milvus Lite as a process of its own, so that several workers share one folder.

`python -m router_extproc.process.milvus_lite_server FOLDER SOCKET LEVEL FORMAT` serves the folder on the
socket, and logs as the last two say; a single worker serves its folder itself (`lite_server`). The process
ends when its standard input does and for no signal that can be ignored, so it outlives the workers that
still write, and never the supervisor.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path

from router_extproc.cache.milvus.lite_problem import forget_problem, tell_problem
from router_extproc.cache.milvus.lite_server import open_lite
from router_extproc.clock import SystemClock
from router_extproc.errors import CacheError
from router_extproc.private_files import UMASK
from router_extproc.telemetry.library_lines import library_lines
from router_extproc.telemetry.logging import configure_logging, get_logger


def main(folder: Path, socket: Path) -> int:
    """Serve until standard input ends, then put every row on disk; the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal or a service manager tells every process at once; the workers still write.
        signal.signal(number, signal.SIG_IGN)
    # Milvus Lite makes its files from threads of its own.
    os.umask(UMASK)
    log = get_logger()
    signal.signal(signal.SIGHUP, lambda *_: log.warning("SIGHUP ignored: there is nothing to read again"))
    # The supervisor keeps it waiting until somebody answers it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    try:
        server = open_lite(folder, socket, told_aside=_log_aside)
    except CacheError as error:
        tell_problem(socket, error)
        log.error("milvus lite cannot open its folder", folder=str(folder), problem=error.reason)  # noqa: TRY400 - no trace
        return 1
    forget_problem(socket)
    log.info("milvus lite serves", folder=str(folder))
    sys.stdin.buffer.read()
    server.close()
    log.info("milvus lite stopped")
    return 0


def _log_aside(folder: str, now: str) -> None:
    get_logger().warning(
        "cache folder could not be read and was put aside", folder=folder, now=Path(now).name
    )


if __name__ == "__main__":
    # Both log with a stack trace what the workers are told anyway, and count.
    for name in ("milvus_lite", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    with library_lines(SystemClock()) as stream:
        configure_logging(
            level=sys.argv[3],
            form="json" if sys.argv[4] == "json" else "console",
            stream=stream,
            bound={"process": "milvus-lite"},
        )
        sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
