"""What an answer says of its pool: it works, it fails, it refuses, or nothing."""

from __future__ import annotations

import pytest

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.live_answers import outcome_of, read_retry_after, seen_in
from router_extproc.pipeline.report import AnswerReport
from router_extproc.pipeline.request_ids import NO_EXCHANGE
from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.health import Outcome


def report(
    status: int = 200, *, streamed: bool = True, incomplete: str = "", usage: Usage | None = None
) -> AnswerReport:
    return AnswerReport(
        "openai_chat", NO_EXCHANGE, "small", "d", status, streamed=streamed, started_s=0.0, ttft_s=0.5,
        duration_s=2.0, usage=usage, stored="not-asked", incomplete=incomplete,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("status", "incomplete", "outcome"),
    [
        (200, "", "ok"),
        (200, "error", "failed"),
        (200, "cut_off", "failed"),
        (200, "malformed", "failed"),
        (200, "too_large", "ok"),
        (200, "aborted", None),
        (429, "error", "limited"),
        (500, "error", "failed"),
        (503, "", "failed"),
        (529, "", "failed"),
        (408, "", "failed"),
        (504, "", "failed"),
        (400, "error", None),
        (404, "error", None),
        (301, "", None),
    ],
)
def test_an_answer_says_whether_its_pool_works(status: int, incomplete: str, outcome: Outcome | None) -> None:
    """An error body with a good status is a failure; what a client asked wrongly or broke off is none."""
    assert outcome_of(status, incomplete) == outcome


def test_an_answer_is_measured() -> None:
    seen = seen_in(report(usage=Usage(7, 30)), {}, now_s=0.0)
    assert seen == AnswerSeen("small", "d", "ok", False, 0.5, 2.0, 7, 30)
    assert seen_in(report(streamed=False), {}, now_s=0.0).ttft_s is None
    assert seen_in(report(504), {}, now_s=0.0).timed_out
    assert seen_in(report(500), {}, now_s=0.0).duration_s is None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("9" * 400, 999_999_999.0),
        ("Thu, 01 Jan 1970 00:01:00 GMT", 50.0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_read_as_http_says_it(value: str, seconds: float | None) -> None:
    assert read_retry_after(value, now_s=10.0) == seconds
    assert seen_in(report(429), {"retry-after": value}, now_s=10.0).retry_after_s == seconds
