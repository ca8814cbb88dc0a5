"""The cache's own state as metrics.

It asks the cache nothing: whoever serves a scrape shows it the state first. The rule it keeps: what
only grows is a counter, whoever counted it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from router_extproc.cache.semantic_cache import CacheState
from router_extproc.telemetry.metrics.exposition import PREFIX


class CacheCollector(Collector):
    """The state that it was last shown; nothing before the first."""

    def __init__(self) -> None:
        self._state: CacheState | None = None

    def show(self, state: CacheState) -> None:
        """Take over what the cache says of itself."""
        self._state = state

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known only with a state."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """See Collector."""
        state = self._state
        if state is None:
            return
        yield _gauge("near_entries", "Entries in the near tier.", state.near_entries)
        yield _gauge("near_bytes", "Estimated memory of the near tier.", state.near_bytes)
        complete = "1: the near tier holds everything that the backend has."
        yield _gauge("near_complete", complete, state.near_is_complete)
        yield _gauge("queued_entries", "Entries waiting to be written.", state.queued)
        counters = dict(state.counters)
        if state.backend is not None:
            if state.backend.entries is not None:
                yield _gauge("backend_entries", "Entries in the backend.", state.backend.entries)
            counters |= {f"backend_{name}": count for name, count in state.backend.counters.items()}
        yield _events(counters)


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_cache_{name}", text, value)


def _events(counters: dict[str, int]) -> CounterMetricFamily:
    """Counters are named after their tier: near_evicted, queue_dropped, backend_errors."""
    text = "What the cache's tiers did since the start."
    events = CounterMetricFamily(f"{PREFIX}_cache_events", text, labels=("tier", "event"))
    for name, count in counters.items():
        tier, _, event = name.partition("_")
        events.add_metric((tier, event), count)
    return events
