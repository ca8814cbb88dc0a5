"""Milvus Lite as a process of its own, so that several workers share one folder.

`python -m router_extproc.cache.milvus.lite_process FOLDER SOCKET LEVEL FORMAT` serves the folder on the
socket, and logs as the last two say. It is not the in-process Milvus Lite of a single worker (`opening`).
The rule it keeps: it ends when its standard input does and for no signal that can be ignored, so it
outlives the workers that still write, and never the supervisor.
"""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path
from typing import Any, Final

from milvus_lite.adapter.grpc.server import start_server_in_thread
from milvus_lite.exceptions import MilvusLiteError

from router_extproc.telemetry.logging import configure_logging, get_logger

#: How long calls under way may take once the end was asked for.
GRACE_S: Final = 2.0
#: Calls at once. Milvus Lite does not lock its writes to a collection against each other.
_CALLS_MAX: Final = 1


def main(folder: Path, socket: Path) -> int:
    """Serve until standard input ends, then put every row on disk; the exit code."""
    for number in (signal.SIGINT, signal.SIGTERM):
        # A terminal or a service manager tells every process at once; the workers still write.
        signal.signal(number, signal.SIG_IGN)
    log = get_logger()
    signal.signal(signal.SIGHUP, lambda *_: log.warning("SIGHUP ignored: there is nothing to read again"))
    # The supervisor keeps it waiting until somebody answers it.
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
    try:
        server, database = _start(folder, socket)
    except (MilvusLiteError, OSError, RuntimeError, ValueError) as error:
        log.error("milvus lite cannot open its folder", folder=str(folder), problem=str(error))  # noqa: TRY400 - no trace
        return 1
    log.info("milvus lite serves", folder=str(folder))
    sys.stdin.buffer.read()
    server.stop(GRACE_S).wait(2 * GRACE_S)
    database.close()
    log.info("milvus lite stopped")
    return 0


def _start(folder: Path, socket: Path) -> tuple[Any, Any]:  # Any: gRPC's server, Milvus Lite's database
    folder.parent.mkdir(parents=True, exist_ok=True)
    # The library joins host and port with a colon, and so makes gRPC's name of a socket.
    server, database, _ = start_server_in_thread(
        str(folder), host="unix", port=socket, max_workers=_CALLS_MAX
    )
    return server, database


if __name__ == "__main__":
    # Both log with a stack trace what the workers are told anyway, and count.
    for name in ("milvus_lite", "grpc"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    configure_logging(
        level=sys.argv[3],
        form="json" if sys.argv[4] == "json" else "console",
        bound={"process": "milvus-lite"},
    )
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
