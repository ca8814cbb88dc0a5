"""Live traffic is on the metrics page, by model and decision."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.live import LiveTraffic
from router_extproc.telemetry.metrics.traffic import TrafficCollector
from router_extproc.testing.clock import ManualClock


def test_what_decisions_see_is_exposed() -> None:
    clock, registry = ManualClock(), CollectorRegistry()
    live = LiveTraffic(clock, ("a", "b"))
    TrafficCollector(registry, live, clock)
    seen = AnswerSeen("a", "d", "ok", ttft_s=0.5, duration_s=1.5, prompt_tokens=10, answer_tokens=100)
    live.answered(seen)
    live.forwarded("a", clock.wall_s())
    for _ in range(3):
        live.answered(AnswerSeen("b", "d", "failed", timed_out=True))
    live.answered(AnswerSeen("b", "e", "limited"))

    def value(name: str, **labels: str) -> float | None:
        found = registry.get_sample_value(f"router_extproc_{name}", labels)
        return None if found is None else round(found, 3)

    assert value("model_state", model="a", state="open") == 1
    assert value("model_state", model="b", state="paused") == 1
    assert value("model_requests_in_flight", model="a") == 1
    assert value("model_pauses_total", model="b", reason="failed") == 1
    assert value("model_pauses_total", model="a", reason="limited") == 0
    assert value("traffic_ttft_seconds", model="a", decision="d") == 0.5
    assert value("traffic_seconds_per_token", model="a", decision="d") == 0.01
    assert value("traffic_answer_tokens", model="a", decision="d") == 100
    assert value("traffic_error_share", model="b", decision="d") == 1
    assert value("traffic_timeouts", model="b", decision="d") == 3
    assert value("traffic_rate_limits", model="b", decision="e") == 1
    assert value("traffic_ttft_seconds", model="b", decision="d") is None


def test_nothing_is_exposed_of_models_among_which_nobody_chooses() -> None:
    clock, registry = ManualClock(), CollectorRegistry()
    TrafficCollector(registry, LiveTraffic(clock), clock)
    assert [sample for metric in registry.collect() for sample in metric.samples] == []
