"""Metrics in a registry of their own, whose series can be made before, and dropped after, their time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from router_extproc.telemetry.metrics.exposition import PREFIX


class RegisteredMetrics:
    """Makes metrics under this project's prefix and remembers those with labels."""

    def __init__(self) -> None:
        self.registry: Final = CollectorRegistry(auto_describe=True)
        #: By name, without prefix and suffix.
        self._labelled: Final[dict[str, Counter | Gauge | Histogram]] = {}

    def forget(self, label: str, values: Iterable[str]) -> None:
        """Drop every series in which the label has one of these values: they are no longer configured."""
        for metric in self._labelled.values():
            if label in metric._labelnames:  # noqa: SLF001 - prometheus_client shows it nowhere else
                for value in values:
                    metric.remove_by_labels({label: value})

    def begin_at_zero(self, known: Mapping[str, Iterable[Sequence[str]]]) -> None:
        """Make the series of these label values; metrics by their name without prefix and suffix."""
        for name, series in known.items():
            for values in series:
                self._labelled[name].labels(*values)

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        counter = Counter(f"{PREFIX}_{name}", text, labels, registry=self.registry)
        self._labelled[name] = counter
        return counter

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        gauge = Gauge(f"{PREFIX}_{name}", text, labels, registry=self.registry)
        self._labelled[name] = gauge
        return gauge

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        histogram = Histogram(f"{PREFIX}_{name}", text, labels, buckets=buckets, registry=self.registry)
        self._labelled[name] = histogram
        return histogram
