"""The cache's backend in metrics and log lines: when it is lost, why, what that costs, and when it is back.

Two lines for a loss, however long it takes: one for each reason, and one at its end.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from router_extproc.cache.health import (
    OPERATIONS,
    SKIP_REASONS,
    TROUBLES,
    Health,
    Operation,
    SkipReason,
    Trouble,
)
from router_extproc.llm.answer import JsonValue
from router_extproc.telemetry.logging import get_logger
from router_extproc.telemetry.metrics.exposition import PREFIX

#: 1 ms to 10 s: a lookup has some hundred milliseconds, a call is given up after some seconds.
BUCKETS_S: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
_LOST_COSTS: Final = "lookups miss beyond the near tier, stored answers wait in a bounded queue"
_PAUSED_COSTS: Final = "lookups miss beyond the near tier until a trial is answered in time; writes go on"
_REFUSED_COSTS: Final = "stored answers wait in a bounded queue; lookups go on"


class Queue(Protocol):
    """Where entries wait to be written."""

    @property
    def queued(self) -> int:
        """How many."""
        ...


class BackendTelemetry:
    """Fits cache.health.BackendListener."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._queue: Queue | None = None
        self._log: Final = get_logger()
        self._up: Final = Gauge(
            f"{PREFIX}_cache_backend_up", "1: the backend is connected.", registry=registry
        )
        self._writable: Final = Gauge(
            f"{PREFIX}_cache_backend_writable", "0: it is connected but accepts no writes.", registry=registry
        )
        self._errors: Final = Counter(
            f"{PREFIX}_cache_backend_errors",
            "Calls to the backend that failed.",
            ("operation", "kind"),
            registry=registry,
        )
        self._seconds: Final = Histogram(
            f"{PREFIX}_cache_backend_duration_seconds",
            "Duration of calls to the backend, including failed ones.",
            ("operation",),
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._paused: Final = Gauge(
            f"{PREFIX}_cache_backend_lookups_paused",
            "1: several lookups in a row timed out, so lookups pause for a while.",
            registry=registry,
        )
        self._skipped: Final = Counter(
            f"{PREFIX}_cache_backend_skipped_lookups",
            "Lookups that did not ask the backend, because it was busy or paused.",
            ("reason",),
            registry=registry,
        )
        for reason in SKIP_REASONS:
            self._skipped.labels(reason)
        self._writable.set(1)
        for operation in OPERATIONS:
            self._seconds.labels(operation)
            for trouble in TROUBLES:
                self._errors.labels(operation, trouble)

    def watch_queue(self, queue: Queue) -> None:
        """Lines say from now on how much waits there."""
        self._queue = queue

    def lost(self, trouble: Trouble, reason: str) -> None:
        """See BackendListener."""
        self._up.set(0)
        self._log.warning(
            "cache backend lost", kind=trouble, reason=reason, costs=_LOST_COSTS, queued=self._queued
        )

    def ready(self, away_s: float | None) -> None:
        """See BackendListener."""
        self._up.set(1)
        if away_s is None:
            self._log.info("cache backend ready")
        else:
            self._log.info("cache backend is back", away_s=round(away_s, 1), queued=self._queued)

    def writes_refused(self, trouble: Trouble | None) -> None:
        """See BackendListener."""
        self._writable.set(trouble is None)
        if trouble is None:
            self._log.info("cache backend takes writes again", queued=self._queued)
            return
        self._log.warning(
            "cache backend takes no writes", kind=trouble, costs=_REFUSED_COSTS, queued=self._queued
        )

    def called(self, operation: Operation, seconds: float, trouble: Trouble | None) -> None:
        """See BackendListener."""
        self._seconds.labels(operation).observe(seconds)
        if trouble is not None:
            self._errors.labels(operation, trouble).inc()

    def lookups_paused(self, *, paused: bool) -> None:
        """See BackendListener."""
        self._paused.set(paused)
        if paused:
            self._log.warning("cache backend too slow, lookups paused", costs=_PAUSED_COSTS)
        else:
            self._log.info("cache backend fast again, lookups go on")

    def skipped(self, reason: SkipReason) -> None:
        """See BackendListener."""
        self._skipped.labels(reason).inc()

    def put_aside(self, folder: str, now: str) -> None:
        """See BackendListener."""
        self._log.warning(
            "cache folder could not be read and was put aside", folder=folder, now=Path(now).name
        )

    @property
    def _queued(self) -> int:
        return 0 if self._queue is None else self._queue.queued


def shown_health(health: Health | None) -> dict[str, JsonValue]:
    """The health for `/readyz`; nothing of a backend that cannot be lost."""
    if health is None:
        return {}
    return {
        "state": health.phase.value,
        "kind": health.trouble,
        "reason": health.reason,
        "since": datetime.fromtimestamp(health.since_s, UTC).isoformat(timespec="seconds"),
        "writes": health.writes_trouble or "taken",
        "lookups": "paused" if health.lookups_paused else "asked",
    }
