"""How often each worker was started again, and why: counted by the supervisor, shown by worker 0.

The counts are in a file of the private folder that holds the workers' sockets: the supervisor outlives its
workers, and a worker that was started again must still know.
"""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from router_extproc.telemetry.metrics.workers import Reason, Restarts

_FILE: Final = "restarts.json"


class RestartCounts:
    """The supervisor's counts; `folder` None: kept to itself."""

    def __init__(self, folder: Path | None = None) -> None:
        self._folder: Final = folder
        self._counts: Final[dict[int, Counter[str]]] = {}

    def count(self, worker: int, reason: Reason) -> None:
        """One more; whoever reads the file meanwhile sees the old one or the new one, whole."""
        self._counts.setdefault(worker, Counter())[reason] += 1
        if self._folder is not None:
            new = self._folder / f"{_FILE}.new"
            # A full disk makes the file old, and must not end the supervisor and all its workers.
            with suppress(OSError):
                new.write_text(json.dumps(self._counts), encoding="utf-8")
                new.replace(self._folder / _FILE)

    def counts(self) -> Restarts:
        """All so far."""
        return self._counts


def read_restarts(folder: Path | None) -> Restarts:
    """What the supervisor has counted; nothing before the first, or without a supervisor."""
    if folder is None:
        return {}
    try:
        document = json.loads((folder / _FILE).read_bytes())
    except FileNotFoundError:
        return {}
    return {int(worker): counts for worker, counts in document.items()}
