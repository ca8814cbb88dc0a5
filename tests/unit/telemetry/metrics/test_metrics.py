from __future__ import annotations

from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from router_extproc.cache.base import BackendState
from router_extproc.cache.semantic_cache import CacheState
from router_extproc.dialects.base import Rendered
from router_extproc.dialects.routed.usage import NOT_READ
from router_extproc.equivalence.languages import Told
from router_extproc.errors import MalformedRequest, RequestBlocked, RequestError, UnsupportedRequest
from router_extproc.llm.answer import Usage
from router_extproc.pipeline.caching.savings import EntryWorth, Worth
from router_extproc.pipeline.decision import (
    CacheOutcome,
    Candidate,
    Decision,
    Explanation,
    Forward,
    Reject,
    Replay,
)
from router_extproc.protocol.modes import Role
from router_extproc.routing.catalogue import Target
from router_extproc.routing.route import Route
from router_extproc.routing.selection import base as selections
from router_extproc.signals.base import Reading
from router_extproc.telemetry.metrics.exposition import expose, merge
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.metrics.reading import count_late_stages
from router_extproc.testing.reports import TOKEN, answered, decided, stage

ROUTE = Route(
    "maths",
    Target("large", "vllm_large", "Qwen/Qwen3-32B", None),
    changes=None,
)
EXPLANATION = Explanation(
    "openai_chat",
    ROUTE,
    (Reading("domain", "math", 0.9), Reading("urgent", None, 0.0)),
    "miss",
    "absent",
    (Candidate("f" * 64, 0.91, 0.2, accepted=False, reason="numbers"),),
    (stage("signals", 0.003, "ok"), stage("cache", 0.1, "timeout")),
)
FORWARD = Forward(ROUTE, None, CacheOutcome("miss", "router-extproc; fwd=uri-miss"), TOKEN, EXPLANATION)
REPLAY = Replay(
    Rendered("application/json", b"{}"),
    CacheOutcome("hit-exact", "router-extproc; hit", age_s=3),
    "large",
    "maths",
    EXPLANATION,
    EntryWorth("f" * 64, "large", "maths", Worth(1, 0, 10, 20, 0.5)),
)
REJECT = Reject(MalformedRequest("messages is missing"), Rendered("application/json", b"{}"))
ANSWER = answered(
    model="large",
    decision="maths",
    streamed=True,
    ttft_s=0.4,
    duration_s=2.0,
    usage=Usage(10, 20, cached_tokens=4),
)


def decide(decision: Decision) -> Metrics:
    metrics = Metrics()
    metrics.decided(decided(decision))
    return metrics


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"router_extproc_{name}", labels)


def test_a_forwarded_request_is_counted_with_its_model_and_decision() -> None:
    labels = {"dialect": "openai_chat", "decision": "maths", "model": "large", "cache": "miss"}
    assert value(decide(FORWARD), "requests_total", **labels) == 1


def test_a_request_of_nobody_is_counted_with_its_decision() -> None:
    """Without a credential the cache does nothing: an operator must see that it is so."""
    explanation = replace(EXPLANATION, cache="bypass", cache_reason="no-credential")
    metrics = decide(replace(FORWARD, explanation=explanation))
    assert value(metrics, "cache_no_credential_total", decision="maths") == 1
    assert value(decide(FORWARD), "cache_no_credential_total", decision="maths") is None


@pytest.mark.parametrize("reason", ["volatile", "bypass-when"])
def test_a_request_for_an_answer_of_its_own_is_counted(reason: str) -> None:
    explanation = replace(EXPLANATION, cache="bypass", cache_reason=reason)
    metrics = decide(replace(FORWARD, explanation=explanation))
    assert value(metrics, "cache_not_reused_total", reason=reason) == 1


def test_what_keys_leave_out_is_counted() -> None:
    assert (
        value(
            decide(replace(FORWARD, explanation=replace(EXPLANATION, ignored=2))), "cache_ignored_parts_total"
        )
        == 2
    )


def test_a_change_that_an_api_has_no_place_for_is_counted() -> None:
    metrics = decide(replace(FORWARD, explanation=replace(EXPLANATION, not_made=("system_prompt",))))
    labels = {"dialect": "openai_chat", "decision": "maths", "change": "system_prompt"}
    assert value(metrics, "changes_not_made_total", **labels) == 1


def test_what_a_choice_meant_for_its_session_is_counted() -> None:
    choice = selections.Choice(selections.Candidate(ROUTE.target), "it stays", move="stay")
    metrics = decide(replace(FORWARD, explanation=replace(EXPLANATION, route=replace(ROUTE, choice=choice))))
    assert value(metrics, "session_moves_total", move="stay") == 1


def test_a_replayed_request_is_counted_with_the_model_that_answered_first() -> None:
    labels = {"dialect": "openai_chat", "decision": "maths", "model": "large", "cache": "hit-exact"}
    assert value(decide(REPLAY), "requests_total", **labels) == 1


def test_what_a_hit_saved_is_counted() -> None:
    metrics, labels = decide(REPLAY), {"model": "large", "decision": "maths"}
    assert value(metrics, "cache_saved_tokens_total", kind="prompt", **labels) == 10
    assert value(metrics, "cache_saved_tokens_total", kind="completion", **labels) == 20
    assert value(metrics, "cache_saved_cost_total", **labels) == 0.5


def test_a_rejected_request_is_counted_by_its_code() -> None:
    labels = {"dialect": "openai_chat", "code": "invalid_request"}
    assert value(decide(REJECT), "rejected_requests_total", **labels) == 1


def test_the_time_of_a_decision_is_kept_by_its_outcome() -> None:
    assert value(decide(FORWARD), "decision_duration_seconds_sum", outcome="forward") == 0.004


def test_stages_are_counted_by_how_they_ended() -> None:
    assert value(decide(FORWARD), "stage_outcomes_total", stage="cache", outcome="timeout") == 1


def test_stages_out_of_time_are_counted_over_all_workers() -> None:
    texts = [expose(decide(FORWARD).registry, worker=worker) for worker in (0, 1)]
    assert count_late_stages(merge(texts).decode()) == 2
    assert count_late_stages(expose(Metrics().registry, worker=0).decode()) == 0


def test_readings_are_counted_without_their_labels() -> None:
    """A header's label is the client's text: as a metric label it would have no bound."""
    metrics = decide(FORWARD)
    assert value(metrics, "signal_readings_total", signal="domain", matched="true") == 1
    assert value(metrics, "signal_readings_total", signal="urgent", matched="false") == 1


def test_parts_that_a_signal_left_unread_are_counted_with_the_reason() -> None:
    readings = (Reading("a", None, 0.0, left_chars=9), Reading("b", None, 0.0, left_chars=9, late=True))
    metrics = decide(replace(FORWARD, explanation=replace(EXPLANATION, readings=readings)))
    assert value(metrics, "signal_parts_left_total", signal="a", reason="bounds") == 1
    assert value(metrics, "signal_parts_left_total", signal="b", reason="late") == 1


def test_refused_candidates_are_counted_with_their_reason() -> None:
    assert value(decide(FORWARD), "cache_candidates_total", accepted="false", reason="numbers") == 1


@pytest.mark.parametrize(("matched", "count"), [(False, 1), (True, 0)])
def test_lookups_that_their_language_limits_to_the_same_words_are_counted(matched: bool, count: int) -> None:  # noqa: FBT001
    told = replace(EXPLANATION, language=Told("other", matched))
    metrics = decide(replace(FORWARD, explanation=told))
    assert (value(metrics, "cache_exact_only_total", language="other") or 0) == count


def test_an_answer_is_counted_with_its_tokens() -> None:
    metrics = Metrics()
    metrics.answered(ANSWER)
    assert value(metrics, "answers_total", model="large", decision="maths", status="2xx") == 1
    assert value(metrics, "tokens_total", model="large", kind="completion") == 20
    assert value(metrics, "answer_ttft_seconds_sum", model="large") == 0.4
    assert value(metrics, "answers_stored_total", outcome="stored") == 1


def test_an_answer_is_counted_with_why_it_ended_and_what_it_thought() -> None:
    metrics = Metrics()
    metrics.answered(answered(model="large", finish_reason="length", usage=Usage(1, 9, reasoning_tokens=5)))
    metrics.answered(answered(model="large"))
    assert value(metrics, "answers_finished_total", model="large", reason="length") == 1
    assert value(metrics, "tokens_total", model="large", kind="reasoning") == 5


def test_the_time_between_tokens_is_that_of_a_whole_stream() -> None:
    """From the first content on: before it, the prompt is read."""
    metrics = Metrics()
    stream = answered(model="large", streamed=True, ttft_s=0.5, duration_s=2.5, usage=Usage(1, 11))
    metrics.answered(stream)
    assert value(metrics, "answer_time_per_token_seconds_sum", model="large") == 0.2
    for other in (
        replace(stream, streamed=False),
        replace(stream, ttft_s=None),
        replace(stream, usage=None),
        replace(stream, usage=Usage(1, 1)),
        replace(stream, incomplete="length"),
    ):
        metrics.answered(other)
    assert value(metrics, "answer_time_per_token_seconds_count", model="large") == 1


def test_how_long_an_unread_answer_took_is_not_how_long_its_model_answers() -> None:
    metrics = Metrics()
    metrics.answered(answered(model="large", incomplete=NOT_READ))
    assert value(metrics, "answer_duration_seconds_count", model="large") is None
    assert value(metrics, "answers_total", model="large", decision="d", status="2xx") == 1


def test_negative_usage_of_a_pool_does_not_stop_the_counting() -> None:
    """A counter that is asked to fall raises; a listener must not."""
    metrics = Metrics()
    metrics.answered(answered(usage=Usage(-1, -1, -1)))
    assert value(metrics, "tokens_total", model="m", kind="prompt") == 0


def test_streams_in_flight_go_up_and_down() -> None:
    metrics = Metrics()
    metrics.opened(Role.DECIDE)
    metrics.opened(Role.DECIDE)
    metrics.closed(Role.DECIDE, "remote_error")
    assert value(metrics, "streams_in_flight", role="decide") == 1
    assert value(metrics, "streams_total", role="decide", outcome="remote_error") == 1


# ── cache state ───────────────────────────────────────────────────────────────────────────────


def test_nothing_is_said_of_a_cache_that_was_never_shown() -> None:
    assert value(Metrics(), "cache_near_entries") is None


def test_the_caches_counters_become_events_of_their_tier() -> None:
    metrics = Metrics()
    backend = BackendState(ready=True, entries=7, counters={"reconnects": 2})
    counters = {"near_evicted": 3, "queue_dropped": 1}
    metrics.cache.show(
        CacheState(5, 900, near_is_complete=True, queued=2, backend=backend, counters=counters)
    )
    assert value(metrics, "cache_events_total", tier="near", event="evicted") == 3
    assert value(metrics, "cache_events_total", tier="backend", event="reconnects") == 2
    assert value(metrics, "cache_backend_entries") == 7


def test_a_backend_that_cannot_count_says_nothing_of_its_entries() -> None:
    metrics = Metrics()
    backend = BackendState(ready=False, entries=None)
    metrics.cache.show(CacheState(0, 0, near_is_complete=False, queued=0, backend=backend, counters={}))
    assert value(metrics, "cache_backend_entries") is None


# ── exposition ────────────────────────────────────────────────────────────────────────────────


def test_every_sample_names_its_worker() -> None:
    text = expose(decide(FORWARD).registry, worker=3).decode()
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert {sample.labels.get("worker") for sample in samples} == {"3"}


def test_the_process_is_measured_too() -> None:
    assert b'process_resident_memory_bytes{worker="0"}' in expose(Metrics().registry, worker=0)


def test_merged_workers_keep_every_series_once() -> None:
    """Prometheus refuses a metric whose head comes twice, and a series that comes twice."""
    texts = [expose(decide(FORWARD).registry, worker=worker) for worker in (0, 1)]
    merged = merge(texts).decode()
    heads = [line for line in merged.splitlines() if line.startswith("# TYPE")]
    series = [line.rsplit(" ", 1)[0] for line in merged.splitlines() if not line.startswith("#")]
    assert len(heads) == len(set(heads))
    assert len(series) == len(set(series)) == sum(text.count(b"worker=") for text in texts)


def test_a_single_worker_merges_to_itself() -> None:
    text = expose(decide(FORWARD).registry, worker=0)
    assert merge([text]) == text


def test_nothing_merges_to_nothing() -> None:
    assert merge([]) == b""


@pytest.mark.parametrize(
    ("error", "action"),
    [(RequestBlocked("No."), "block"), (UnsupportedRequest("No model accepts image."), "unaccepted")],
)
def test_what_a_decision_refused_is_counted_by_why(error: RequestError, action: str) -> None:
    metrics = Metrics()
    metrics.decided(decided(replace(REJECT, error=error, explanation=EXPLANATION)))
    labels = {"dialect": "openai_chat", "decision": "maths", "action": action}
    assert metrics.registry.get_sample_value("router_extproc_local_replies_total", labels) == 1
