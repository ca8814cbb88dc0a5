"""Counters exist from the start, and what runs is named."""

from __future__ import annotations

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from router_extproc import __version__
from router_extproc.cache.false_hits.evidence import Finding, Sample
from router_extproc.config.model import Config
from router_extproc.telemetry.metrics.buckets import TTFT_BUCKETS_S
from router_extproc.telemetry.metrics.exposition import expose
from router_extproc.telemetry.metrics.identity import publish_identity
from router_extproc.telemetry.metrics.known_labels import SERIES_MAX, KnownLabels, rejection_codes
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.testing.reports import decided
from tests.unit.telemetry.metrics.test_metrics import ANSWER, FORWARD, REJECT, REPLAY

CONFIG = Config.model_validate(
    {
        "version": 1,
        "default_model": "small",
        "models": {"small": {"cluster": "s"}, "large": {"cluster": "l"}},
        "signals": {"urgent": {"type": "keywords", "any": ["now"]}},
        "decisions": [{"name": "maths", "model": "large"}],
    }
)


@pytest.fixture
def metrics() -> Metrics:
    metrics = Metrics()
    metrics.begin_at_zero(KnownLabels.of(CONFIG, CONFIG.signals).series())
    return metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"router_extproc_{name}", labels)


def test_a_counter_is_zero_before_its_first_event(metrics: Metrics) -> None:
    """`increase()` of a series that begins at 1 is 0: the first error would be invisible."""
    route = {"dialect": "openai_chat", "decision": "maths", "model": "large"}
    for cache in ("miss", "hit-exact", "hit-semantic", "bypass"):
        assert value(metrics, "requests_total", **route, cache=cache) == 0
    assert value(metrics, "stage_outcomes_total", stage="cache", outcome="timeout") == 0
    assert value(metrics, "stage_outcomes_total", stage="signals", outcome="error") == 0
    assert value(metrics, "rejected_requests_total", dialect="openai_chat", code="invalid_request") == 0
    assert value(metrics, "answers_stored_total", outcome="aborted") == 0
    assert value(metrics, "streams_total", role="observe", outcome="let_through") == 0
    assert value(metrics, "coalesced_requests_total", outcome="alone") == 0
    assert value(metrics, "signal_readings_total", signal="urgent", matched="true") == 0
    assert value(metrics, "answers_total", model="small", decision="default", status="5xx") == 0
    assert value(metrics, "answer_ttft_seconds_count", model="large") == 0


def test_an_api_that_is_only_routed_has_the_routes_that_it_may_take(metrics: Metrics) -> None:
    for decision, model in (("default", "small"), ("pinned", "small"), ("pinned", "large")):
        route = {"dialect": "tokenize", "decision": decision, "model": model}
        assert value(metrics, "requests_total", **route, cache="bypass") == 0
        assert value(metrics, "requests_total", **route, cache="miss") is None
    maths = {"dialect": "tokenize", "decision": "maths", "model": "large"}
    assert value(metrics, "requests_total", **maths, cache="bypass") is None
    assert value(metrics, "rejected_requests_total", dialect="tokenize", code="model_not_found") == 0


def test_a_decision_whose_models_accept_not_everything_may_refuse() -> None:
    limited = {"small": {"cluster": "s", "accepts": ["text"]}, "large": {"cluster": "l"}}
    config = CONFIG.model_dump(mode="json") | {"models": limited}
    series = KnownLabels.of(Config.model_validate(config), ()).series()["local_replies"]
    assert {labels[1:] for labels in series} == {("default", "unaccepted")}
    assert KnownLabels.of(CONFIG, ()).series()["local_replies"] == []


def test_a_signal_that_is_not_computed_has_no_series() -> None:
    """A zero would say that it has been looked for in vain."""
    assert KnownLabels.of(CONFIG, ()).series()["signal_readings"] == []


def test_what_happens_adds_no_series_but_those_of_readings_and_candidates(metrics: Metrics) -> None:
    """Else the list of label values is not whole."""

    def series() -> set[str]:
        text = expose(metrics.registry, worker=0).decode()
        return {line.rsplit(" ", 1)[0] for line in text.splitlines() if "router_extproc" in line}

    before = series()
    for decision in (FORWARD, REPLAY, REJECT):
        metrics.decided(decided(decision, waited=True))
    metrics.answered(ANSWER)
    added = {re.split(r"[{ ]", line)[0] for line in series() - before}
    assert {name for name in added if "candidate" not in name and "readings" not in name} == set()


def test_the_work_behind_hits_is_counted_from_the_start(metrics: Metrics) -> None:
    metrics.evidence.begin_at_zero(KnownLabels.of(CONFIG, CONFIG.signals).decisions)
    for decision in ("maths", "default", "pinned"):
        assert value(metrics, "cache_shadow_comparisons_total", decision=decision, outcome="different") == 0
        assert value(metrics, "cache_feedback_total", decision=decision, source="client") == 0
    assert value(metrics, "cache_background_tasks_total", outcome="dropped") == 0


def test_what_is_known_takes_the_place_of_the_zero(metrics: Metrics) -> None:
    metrics.evidence.begin_at_zero(("maths",))
    found = Finding(Sample(5, 1), Sample(10, 2), None, {"client": 3})
    metrics.evidence.show({"maths": found}, {"done": 10})
    assert (
        value(metrics, "cache_shadow_comparisons_total", decision="maths", outcome="different")
        == found.own.wrong
    )
    assert value(metrics, "cache_feedback_total", decision="maths", source="client") == 3
    assert value(metrics, "cache_feedback_total", decision="maths", source="operator") == 0
    assert value(metrics, "cache_background_tasks_total", outcome="done") == 10


@pytest.mark.parametrize(
    "code", ["invalid_request", "request_too_large", "unsupported_request", "not_cached"]
)
def test_every_rejection_is_known(code: str) -> None:
    assert code in rejection_codes()


def test_a_counter_with_too_many_series_begins_empty() -> None:
    routes = tuple((f"d{number}", "m") for number in range(SERIES_MAX))
    assert "requests" not in KnownLabels(routes).series()
    assert "stage_outcomes" in KnownLabels(routes).series()


def test_buckets_of_ttft_are_those_of_vllm() -> None:
    assert TTFT_BUCKETS_S[:4] == (0.001, 0.005, 0.01, 0.02)
    assert TTFT_BUCKETS_S[-2:] == (640.0, 2560.0)
    assert list(TTFT_BUCKETS_S) == sorted(set(TTFT_BUCKETS_S))


def test_build_and_configuration_are_named() -> None:
    metrics = Metrics()
    publish_identity(metrics.registry, config_digest="0123456789ab")
    families = text_string_to_metric_families(expose(metrics.registry, worker=0).decode())
    found = {sample.name: sample for family in families for sample in family.samples}
    build = found["router_extproc_build_info"]
    assert (build.value, build.labels["version"]) == (1, __version__)
    assert re.fullmatch(r"\d+\.\d+.*", build.labels["grpc"])
    assert re.fullmatch(r"\d+\.\d+.*", build.labels["onnxruntime"])
    assert found["router_extproc_config_info"].labels["digest"] == "0123456789ab"
