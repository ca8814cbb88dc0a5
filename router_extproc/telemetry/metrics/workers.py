"""Which workers answer, and how often each was started again; from worker 0, for all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias, get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from router_extproc.telemetry.metrics.exposition import PREFIX

Reason: TypeAlias = Literal["exited", "signal", "refused", "frozen", "never_ready"]
REASONS: Final[tuple[Reason, ...]] = get_args(Reason)
#: Worker to reason to count.
Restarts: TypeAlias = Mapping[int, Mapping[str, int]]


class WorkerCollector(Collector):
    """What it was last shown; nothing of a worker that speaks for itself only."""

    def __init__(self) -> None:
        self._up: Mapping[int, bool] = {}
        self._restarts: Restarts = {}

    def show(self, up: Mapping[int, bool], restarts: Restarts) -> None:
        """Take over which workers answered just now, and the restarts so far."""
        self._up, self._restarts = up, restarts

    def describe(self) -> Iterable[Metric]:
        """Nothing: workers are known only once they are shown."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        up = GaugeMetricFamily(
            f"{PREFIX}_worker_up", "1: the worker answered this scrape.", labels=("worker",)
        )
        restarts = CounterMetricFamily(
            f"{PREFIX}_worker_restarts", "Workers that were restarted.", labels=("worker", "reason")
        )
        for worker, answers in self._up.items():
            up.add_metric((str(worker),), float(answers))
            counts = self._restarts.get(worker, {})
            for reason in REASONS:
                restarts.add_metric((str(worker), reason), counts.get(reason, 0))
        if self._up:
            yield from (up, restarts)
