"""What is known of models by outcomes is on the metrics page."""

from __future__ import annotations

from prometheus_client import CollectorRegistry

from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.outcomes.seen import Learning, OutcomeBasis, OutcomeSeen
from router_extproc.telemetry.metrics.outcomes import OutcomeCollector
from router_extproc.testing.clock import ManualClock


def test_what_counts_and_what_does_not_is_exposed() -> None:
    clock, registry = ManualClock(), CollectorRegistry()
    live = LiveOutcomes(clock)
    live.follow({"d": Learning(frozenset(["small", "large"]), 3600.0, 20)})
    OutcomeCollector(registry, live)
    for source in ("heard", "judged", "heard"):
        basis = OutcomeBasis("client", "session", 0.8)
        live.hear(OutcomeSeen("d", "small", source, source == "judged", basis, clock.wall_s()))
    clock.advance(3600.0)

    def value(model: str, source: str, outcome: str) -> float | None:
        labels = {"decision": "d", "model": model, "source": source, "outcome": outcome}
        return registry.get_sample_value("router_extproc_model_outcomes", labels)

    assert value("small", "heard", "bad") == 0.5
    assert value("small", "judged", "good") == 0.5
    assert value("small", "judged", "bad") == 0
    assert value("large", "heard", "good") == 0
    left = {
        reason: registry.get_sample_value(
            "router_extproc_model_outcomes_left_total", {"decision": "d", "reason": reason}
        )
        for reason in ("session", "client", "all")
    }
    assert left == {"session": 1, "client": 0, "all": 0}
