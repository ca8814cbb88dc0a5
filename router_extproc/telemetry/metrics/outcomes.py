"""Metrics of outcomes: what selections that learn from them know of each model."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import product
from typing import Final, get_args

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from router_extproc.routing.outcomes.limits import Left
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.telemetry.metrics.exposition import PREFIX

_REASONS: Final = get_args(Left)


class OutcomeCollector(Collector):
    """Reads live outcomes at each scrape."""

    def __init__(self, registry: CollectorRegistry, live: LiveOutcomes) -> None:
        self._live = live
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        counted = GaugeMetricFamily(
            f"{PREFIX}_model_outcomes",
            "Outcomes that count now, of which older ones count less.",
            labels=["decision", "model", "source", "outcome"],
        )
        left = CounterMetricFamily(
            f"{PREFIX}_model_outcomes_left",
            "Outcomes that did not count, because enough was told.",
            labels=["decision", "reason"],
        )
        for decision, learning in self._live.learning.items():
            seen = self._live.of(decision)
            for model in sorted(learning.models):
                of = seen.of(model)
                for source, sums in (("heard", of.heard), ("judged", of.judged)):
                    counted.add_metric([decision, model, source, "good"], sums.good)
                    counted.add_metric([decision, model, source, "bad"], sums.bad)
        for decision, reason in product(self._live.learning, _REASONS):
            left.add_metric([decision, reason], self._live.left.get((decision, reason), 0))
        yield from (counted, left)
