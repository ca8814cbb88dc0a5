"""What live traffic learns from an answer: whether its pool works, and how fast it is."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Final

from router_extproc.pipeline.report import AnswerReport
from router_extproc.routing.traffic.answers import AnswerSeen
from router_extproc.routing.traffic.health import Outcome

#: Why an answer with a good status is none: it is an error object, or broke off, or is no answer at all.
FAILURES: Final = frozenset({"error", "malformed", "cut_off"})
#: The client has gone.
ABORTED: Final = "aborted"
_SERVER_ERRORS: Final = range(500, 600)
_GOOD: Final = range(200, 300)
_TIMED_OUT: Final = frozenset({HTTPStatus.GATEWAY_TIMEOUT, HTTPStatus.REQUEST_TIMEOUT})


def seen_in(report: AnswerReport, headers: Mapping[str, str], *, now_s: float) -> AnswerSeen:
    """The answer as live traffic counts it; `now_s`: wall clock, for a `retry-after` that is a date."""
    outcome, usage = outcome_of(report.status, report.incomplete), report.usage
    is_whole = outcome == "ok" and report.incomplete != ABORTED
    return AnswerSeen(
        report.model,
        report.decision,
        outcome,
        timed_out=report.status in _TIMED_OUT,
        ttft_s=report.ttft_s if report.streamed else None,
        duration_s=report.duration_s if is_whole else None,
        prompt_tokens=0 if usage is None else usage.prompt_tokens,
        answer_tokens=0 if usage is None else usage.completion_tokens,
        retry_after_s=read_retry_after(headers.get("retry-after", ""), now_s=now_s),
    )


def outcome_of(status: int, incomplete: str) -> Outcome | None:
    """What an answer says of its pool's health; None: nothing, for its request or its client was at fault."""
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return "limited"
    if status in _SERVER_ERRORS or status in _TIMED_OUT:
        return "failed"
    if status not in _GOOD or incomplete == ABORTED:
        return None
    return "failed" if incomplete in FAILURES else "ok"


def read_retry_after(value: str, *, now_s: float) -> float | None:
    """Seconds to wait (RFC 9110, section 10.2.3): a number, or until a date; None: it says neither."""
    text = value.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - now_s)
    except (ValueError, OverflowError):
        return None
