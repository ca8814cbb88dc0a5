"""Which policy is in force, and how reloads ended."""

from __future__ import annotations

from router_extproc.telemetry.metrics.exposition import expose
from router_extproc.telemetry.metrics.metrics import Metrics


def lines(metrics: Metrics) -> list[str]:
    text = expose(metrics.registry, worker=0).decode()
    return [line for line in text.splitlines() if line.startswith("router_extproc_policy")]


def test_every_worker_shows_its_version_and_one_the_reloads() -> None:
    metrics = Metrics()
    assert lines(metrics) == ['router_extproc_policy_version{worker="0"} 1.0']
    metrics.policy.version = 3
    metrics.policy.show({"applied": 2, "refused": 0})
    assert lines(metrics) == [
        'router_extproc_policy_version{worker="0"} 3.0',
        'router_extproc_policy_reloads_total{result="applied",worker="0"} 2.0',
        'router_extproc_policy_reloads_total{result="refused",worker="0"} 0.0',
    ]


def test_a_supervisor_that_does_not_answer_takes_no_count_away() -> None:
    metrics = Metrics()
    metrics.policy.show({"applied": 2})
    metrics.policy.show({})
    assert 'router_extproc_policy_reloads_total{result="applied",worker="0"} 2.0' in lines(metrics)


def test_series_of_what_is_no_longer_configured_end() -> None:
    """Decisions come and go with each reload; their series would only ever grow."""
    metrics = Metrics()
    requests = {"requests": [("openai_chat", name, "small", "miss") for name in ("kept", "gone")]}
    metrics.begin_at_zero(requests)
    metrics.forget("decision", ["gone", "never was"])
    text = expose(metrics.registry, worker=0).decode()
    assert 'decision="kept"' in text
    assert 'decision="gone"' not in text
