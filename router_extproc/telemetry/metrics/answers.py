"""Counts answers of pools by model: how they ended, their tokens, and how long they took."""

from __future__ import annotations

from typing import Final

from router_extproc.dialects.routed.usage import NOT_READ
from router_extproc.pipeline.report import AnswerReport
from router_extproc.telemetry.metrics.buckets import ANSWER_BUCKETS_S, TOKEN_BUCKETS_S, TTFT_BUCKETS_S
from router_extproc.telemetry.metrics.make import MakeCounter, MakeHistogram

#: What answers may be counted by, of all that a pool may tell.
TOKEN_KINDS: Final = ("prompt", "completion", "cached", "reasoning")


class AnswerMetrics:
    """The metrics of answers."""

    def __init__(self, counter: MakeCounter, histogram: MakeHistogram) -> None:
        self._answers = counter("answers", "Answers of pools.", "model", "decision", "status")
        self._stored = counter("answers_stored", "Answers stored, or why not.", "outcome")
        self._finished = counter("answers_finished", "Why models stopped.", "model", "reason")
        self._tokens = counter("tokens", "Tokens as pools reported them.", "model", "kind")
        first = "Time from forwarding the request to the first content."
        self._ttft = histogram("answer_ttft_seconds", first, TTFT_BUCKETS_S, "model")
        end = "Time from forwarding the request to the answer's end."
        self._answered = histogram("answer_duration_seconds", end, ANSWER_BUCKETS_S, "model")
        between = "Time between two tokens of a stream, its mean."
        self._per_token = histogram("answer_time_per_token_seconds", between, TOKEN_BUCKETS_S, "model")

    def count(self, report: AnswerReport) -> None:
        """Count an answer, its tokens and whether it was stored."""
        self._answers.labels(report.model, report.decision, f"{report.status // 100}xx").inc()
        self._stored.labels(report.stored).inc()
        if report.finish_reason is not None:
            self._finished.labels(report.model, report.finish_reason).inc()
        if report.usage is not None:
            for kind in TOKEN_KINDS:
                # A pool may say anything; a counter that is asked to fall raises.
                count = max(0, getattr(report.usage, f"{kind}_tokens"))
                self._tokens.labels(report.model, kind).inc(count)
        self._time(report)

    def _time(self, report: AnswerReport) -> None:
        # How long a count of tokens takes says nothing of how long this model thinks.
        if report.incomplete != NOT_READ:
            self._answered.labels(report.model).observe(report.duration_s)
        if report.ttft_s is not None:
            self._ttft.labels(report.model).observe(report.ttft_s)
        if report.time_per_token_s is not None:
            self._per_token.labels(report.model).observe(report.time_per_token_s)
