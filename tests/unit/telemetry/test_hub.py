from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from router_extproc.dialects.base import Rendered
from router_extproc.errors import MalformedRequest
from router_extproc.pipeline.caching.savings import EntryWorth, Worth
from router_extproc.pipeline.decision import CacheOutcome, Explanation, Reject, Replay, StageNote
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.protocol.modes import Role
from router_extproc.telemetry.hub import Telemetry
from router_extproc.telemetry.limiter import EVERY_S, WAYS_MAX
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.reports import answered, decided, stage
from router_extproc.testing.router import Reports


def report(*notes: StageNote) -> DecisionReport:
    explanation = Explanation("openai_chat", None, (), "hit-exact", "", stages=notes)
    rendered = Rendered("application/json", b"{}")
    decision = Replay(
        rendered, CacheOutcome("hit-exact", "x"), "m", "d", explanation, EntryWorth("f", "m", "d", Worth())
    )
    return decided(decision)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def telemetry(clock: ManualClock) -> Telemetry:
    return Telemetry(Metrics(), clock)


def test_a_failing_stage_is_logged(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        telemetry.decided(report(stage("cache", 0.1, "error", "search")))
    expected = {"event": "stage failed", "log_level": "warning", "stage": "cache"}
    assert lines == [expected | {"outcome": "error", "reason": "search", "suppressed": 0}]


def test_a_stage_that_went_well_is_not(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        telemetry.decided(report(stage("cache", 0.1, "ok")))
    assert lines == []


def test_the_same_failure_is_logged_once_in_a_while(telemetry: Telemetry, clock: ManualClock) -> None:
    """Milvus down under load would fill the disk."""
    failing = report(stage("cache", 0.1, "timeout"))
    with capture_logs() as lines:
        telemetry.decided(failing)
        telemetry.decided(failing)
        clock.advance(EVERY_S)
        telemetry.decided(failing)
    assert len(lines) == 2


def test_a_line_says_how_many_were_suppressed_before_it(telemetry: Telemetry, clock: ManualClock) -> None:
    """One line in ten seconds looks the same for one failure and for ten thousand."""
    failing = report(stage("cache", 0.1, "timeout"))
    with capture_logs() as lines:
        for _ in range(4):
            telemetry.decided(failing)
        clock.advance(EVERY_S)
        telemetry.decided(failing)
    assert [line["suppressed"] for line in lines] == [0, 3]


def test_what_was_suppressed_last_is_said_at_the_end(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        for _ in range(3):
            telemetry.decided(report(stage("cache", 0.1, "error", "search")))
        telemetry.drain()
        telemetry.drain()
    assert len(lines) == 2
    expected = {"event": "stage failures not logged", "log_level": "warning", "suppressed": 2}
    assert lines[1] == expected | {"stage": "cache", "outcome": "error", "reason": "search"}


def test_the_end_says_nothing_when_nothing_was_suppressed(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        telemetry.decided(report(stage("cache", 0.1, "timeout")))
        telemetry.drain()
    assert len(lines) == 1


def test_a_forgotten_failure_leaves_its_count_behind(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        for _ in range(2):
            telemetry.decided(report(stage("cache", 0.1, "error", "first")))
        for number in range(WAYS_MAX):
            telemetry.decided(report(stage("cache", 0.1, "error", str(number))))
    rest = [line for line in lines if line["event"] == "stage failures not logged"]
    assert [(line["reason"], line["suppressed"]) for line in rest] == [("first", 1)]


def test_another_failure_is_logged_at_once(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        telemetry.decided(report(stage("cache", 0.1, "timeout")))
        telemetry.decided(report(stage("signals", 0.1, "timeout")))
    assert len(lines) == 2


def test_two_failures_in_turn_are_each_logged_once(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        for name in ("cache", "signals", "cache", "signals"):
            telemetry.decided(report(stage(name, 0.1, "timeout")))
    assert [line["stage"] for line in lines] == ["cache", "signals"]


def test_the_memory_of_failures_is_bounded(telemetry: Telemetry) -> None:
    with capture_logs() as lines:
        for number in range(WAYS_MAX + 1):
            telemetry.decided(report(stage("cache", 0.1, "error", str(number))))
        telemetry.decided(report(stage("cache", 0.1, "error", "0")))
    assert len(lines) == WAYS_MAX + 2


def test_a_rejected_request_is_counted_and_not_warned_of(telemetry: Telemetry) -> None:
    rejected = Reject(MalformedRequest("x"), Rendered("application/json", b"{}"))
    with capture_logs() as lines:
        telemetry.decided(decided(rejected))
    assert [line["log_level"] for line in lines] == ["debug"]


def test_every_listener_hears_every_report(clock: ManualClock) -> None:
    reports = Reports()
    telemetry = Telemetry(Metrics(), clock, reports)
    one, other = report(), answered()
    telemetry.decided(one)
    telemetry.answered(other)
    assert (reports.decisions, reports.answers) == ([one], [other])


class Broken:
    """A listener with a bug."""

    def decided(self, _report: DecisionReport) -> None:
        raise ValueError("what a client wrote")

    def answered(self, _report: AnswerReport) -> None:
        raise KeyError("what a pool wrote")


def test_a_listener_that_fails_is_logged_without_its_text(clock: ManualClock) -> None:
    """The text of an error may quote a client."""
    telemetry = Telemetry(Metrics(), clock, Broken())
    with capture_logs() as lines:
        telemetry.decided(report())
        telemetry.decided(report())
        telemetry.answered(answered())
        telemetry.drain()
    about = [(line["event"], line["listener"], line["error"], line["suppressed"]) for line in lines]
    assert about == [
        ("report lost", "Broken", "ValueError", 0),
        ("report lost", "Broken", "KeyError", 0),
        ("lost reports not logged", "Broken", "ValueError", 1),
    ]


def test_answers_and_streams_reach_the_metrics(telemetry: Telemetry) -> None:
    telemetry.answered(answered(status=500, stored="status"))
    telemetry.opened(Role.OBSERVE)
    telemetry.closed(Role.OBSERVE, "done")
    value = telemetry.metrics.registry.get_sample_value
    assert value("router_extproc_answers_stored_total", {"outcome": "status"}) == 1
    assert value("router_extproc_streams_total", {"role": "observe", "outcome": "done"}) == 1
