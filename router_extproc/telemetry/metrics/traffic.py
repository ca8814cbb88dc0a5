"""Metrics of live traffic: what decisions see of each model, and what each decision's answers have shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from router_extproc.clock import Clock
from router_extproc.routing.traffic.health import OUTCOMES, State
from router_extproc.routing.traffic.live import LiveTraffic
from router_extproc.telemetry.metrics.exposition import PREFIX

STATES: tuple[State, ...] = ("open", "probing", "paused")
_BOTH = ("model", "decision")


class TrafficCollector(Collector):
    """Reads live traffic at each scrape."""

    def __init__(self, registry: CollectorRegistry, live: LiveTraffic, clock: Clock) -> None:
        self._live = live
        self._clock = clock
        registry.register(self)

    def collect(self) -> Iterable[Metric]:
        """See Collector."""
        yield from self._models()
        yield from self._decisions()

    def _models(self) -> Iterator[Metric]:
        states = _gauge("model_state", "1: the model is in this state.", "model", "state")
        flying = _gauge(
            "model_requests_in_flight", "Requests that wait for the end of their answer.", "model"
        )
        pauses = CounterMetricFamily(
            f"{PREFIX}_model_pauses", "How often a model was paused.", labels=["model", "reason"]
        )
        waiting = self._live.load.of(self._live.models, self._clock.wall_s())
        for model, seen in self._live.view().items():
            for state in STATES:
                states.add_metric([model, state], float(seen.state == state))
            flying.add_metric([model], waiting[model])
            for reason in OUTCOMES[1:]:
                pauses.add_metric([model, reason], self._live.pauses.get((model, reason), 0))
        yield from (states, flying, pauses)

    def _decisions(self) -> Iterator[Metric]:
        ttft = _gauge("traffic_ttft_seconds", "Time to the first content now, of recent prompts.", *_BOTH)
        per_token = _gauge("traffic_seconds_per_token", "Time of a token of an answer now.", *_BOTH)
        tokens = _gauge("traffic_answer_tokens", "Tokens of an answer now.", *_BOTH)
        errors = _gauge("traffic_error_share", "Share of answers now that failed or timed out.", *_BOTH)
        timeouts = _gauge("traffic_timeouts", "Recent timeouts, of which older ones count less.", *_BOTH)
        limits = _gauge("traffic_rate_limits", "Recent answers 429, likewise.", *_BOTH)
        now_s = self._clock.monotonic_s()
        for key in self._live.known:
            sums = self._live.sums_at(key, now_s)
            if sums.known:
                mean_prompt = 1000 * sums.prompt / sums.timed if sums.timed else 0.0
                ttft.add_metric(key, sums.speed.ttft_s(mean_prompt))
                per_token.add_metric(key, sums.speed.per_token_s)
                tokens.add_metric(key, sums.tokens or 0.0)
            errors.add_metric(key, sums.error_share)
            timeouts.add_metric(key, sums.timeouts)
            limits.add_metric(key, sums.rate_limits)
        yield from (ttft, per_token, tokens, errors, timeouts, limits)


def _gauge(name: str, help_text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"{PREFIX}_{name}", help_text, labels=labels)
