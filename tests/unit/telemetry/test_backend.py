"""The backend's health as metrics and log lines."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest
import structlog
from prometheus_client import CollectorRegistry

from router_extproc.cache.health import BackendWatch, Health, Phase
from router_extproc.telemetry.backend import BackendTelemetry, shown_health
from router_extproc.telemetry.logging import configure_logging
from router_extproc.testing.clock import ManualClock


class Waiting:
    queued = 7


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    before, stream = structlog.get_config(), io.StringIO()
    configure_logging(level="info", form="json", stream=stream)
    yield stream
    structlog.configure(**before)


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def watch(registry: CollectorRegistry, lines: io.StringIO) -> BackendWatch:
    assert lines.getvalue() == ""
    telemetry = BackendTelemetry(registry)
    telemetry.watch_queue(Waiting())
    return BackendWatch(ManualClock(), telemetry)


def logged(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_loss_is_one_warning_with_reason_and_cost(watch: BackendWatch, lines: io.StringIO) -> None:
    for _ in range(3):
        watch.failed("tls", "milvus open: CERTIFICATE_VERIFY_FAILED")
    (line,) = logged(lines)
    assert line["level"] == "warning"
    assert line["event"] == "cache backend lost"
    assert (line["kind"], line["reason"]) == ("tls", "milvus open: CERTIFICATE_VERIFY_FAILED")
    assert line["queued"] == 7
    assert "lookups miss beyond the near tier" in str(line["costs"])


def test_return_is_one_line(watch: BackendWatch, lines: io.StringIO) -> None:
    watch.failed("unreachable", "away")
    watch.opened()
    back = logged(lines)[-1]
    assert (back["event"], back["level"], back["away_s"]) == ("cache backend is back", "info", 0.0)


def test_refused_writes_are_one_warning(watch: BackendWatch, lines: io.StringIO) -> None:
    watch.opened()
    for _ in range(5):
        watch.called("write", 0.1, "full")
    watch.called("write", 0.1, None)
    events = [(line["level"], line["event"]) for line in logged(lines)]
    assert events == [
        ("info", "cache backend ready"),
        ("warning", "cache backend takes no writes"),
        ("info", "cache backend takes writes again"),
    ]


def test_folder_put_aside_is_said_with_its_name(watch: BackendWatch, lines: io.StringIO) -> None:
    watch.listener.put_aside("/data/cache.db", "/data/cache.db.unreadable-1700000000")
    (line,) = logged(lines)
    assert (line["folder"], line["now"]) == ("/data/cache.db", "cache.db.unreadable-1700000000")


def test_gauge_follows_the_connection(watch: BackendWatch, registry: CollectorRegistry) -> None:
    def up() -> float | None:
        return registry.get_sample_value("router_extproc_cache_backend_up")

    assert up() == 0
    watch.opened()
    assert up() == 1
    watch.broke("unreachable", "connection lost")
    watch.failed("unreachable", "away")
    assert up() == 0


def test_errors_are_counted_by_operation_and_kind_from_the_start(
    watch: BackendWatch, registry: CollectorRegistry
) -> None:
    name, labels = "router_extproc_cache_backend_errors_total", {"operation": "search", "kind": "timeout"}
    assert registry.get_sample_value(name, labels) == 0
    watch.called("search", 0.2, "timeout")
    assert registry.get_sample_value(name, labels) == 1


def test_paused_lookups_are_a_line_a_gauge_and_a_count(
    watch: BackendWatch, registry: CollectorRegistry, lines: io.StringIO
) -> None:
    def paused() -> float | None:
        return registry.get_sample_value("router_extproc_cache_backend_lookups_paused")

    watch.pause_lookups(True)
    assert paused() == 1
    watch.skipped("paused")
    skipped = "router_extproc_cache_backend_skipped_lookups_total"
    assert registry.get_sample_value(skipped, {"reason": "paused"}) == 1
    assert registry.get_sample_value(skipped, {"reason": "busy"}) == 0
    watch.pause_lookups(False)
    assert paused() == 0
    assert [(line["level"], line["event"]) for line in logged(lines)] == [
        ("warning", "cache backend too slow, lookups paused"),
        ("info", "cache backend fast again, lookups go on"),
    ]


def test_calls_are_timed_by_operation(watch: BackendWatch, registry: CollectorRegistry) -> None:
    watch.called("write", 0.2, None)
    name = "router_extproc_cache_backend_duration_seconds"
    assert registry.get_sample_value(f"{name}_sum", {"operation": "write"}) == 0.2
    assert registry.get_sample_value(f"{name}_count", {"operation": "get"}) == 0


def test_health_is_shown_with_its_reason_and_since_when() -> None:
    lost = Health(Phase.LOST, 1_700_000_000.0, "unreachable", "nobody listens")
    assert shown_health(lost) == {
        "state": "lost",
        "kind": "unreachable",
        "reason": "nobody listens",
        "since": "2023-11-14T22:13:20+00:00",
        "writes": "taken",
        "lookups": "asked",
    }
    assert shown_health(None) == {}
