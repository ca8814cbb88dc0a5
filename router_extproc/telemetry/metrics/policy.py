"""Metrics of the policy: which version is in force, and how reloads ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from prometheus_client import Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from router_extproc.telemetry.metrics.exposition import PREFIX


class PolicyCollector(Collector):
    """Exposes the version that this worker works by, and the counts that `show` was last given."""

    def __init__(self) -> None:
        self.version = 1
        self._reloads: Mapping[str, int] = MappingProxyType({})

    def show(self, reloads: Mapping[str, int]) -> None:
        """Take over how many reloads of the sidecar ended in which way; empty: what was told last stands."""
        self._reloads = reloads or self._reloads

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        version = GaugeMetricFamily(f"{PREFIX}_policy_version", "Number of the policy in force.")
        version.add_metric((), float(self.version))
        yield version
        reloads = CounterMetricFamily(
            f"{PREFIX}_policy_reloads", "Reloads of the policy, by how they ended.", labels=["result"]
        )
        for result, number in self._reloads.items():
            reloads.add_metric((result,), float(number))
        if self._reloads:
            yield reloads
