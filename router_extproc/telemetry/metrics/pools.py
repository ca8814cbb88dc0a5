"""Metrics of what is behind and in front of the server: pools that are watched, and Envoy's configuration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from router_extproc.telemetry.metrics.exposition import PREFIX


class PoolCollector(Collector):
    """Exposes what `show` was last given."""

    def __init__(self) -> None:
        self._up: Mapping[str, bool] = MappingProxyType({})
        self._matches: bool | None = None

    def show(self, up: Mapping[str, bool], *, matches: bool | None) -> None:
        """Take the states of the pools, and whether Envoy's configuration is ours (None: unknown)."""
        self._up, self._matches = up, matches

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        pools = GaugeMetricFamily(
            f"{PREFIX}_pool_up", "1: the pool answers; 0: its fallback does.", labels=["cluster"]
        )
        for cluster, up in self._up.items():
            pools.add_metric([cluster], float(up))
        yield pools
        matches = GaugeMetricFamily(
            f"{PREFIX}_envoy_config_matches",
            "1: Envoy was rendered from this configuration; 0: from another one; absent: it has no digest.",
        )
        if self._matches is not None:
            matches.add_metric([], float(self._matches))
        yield matches
