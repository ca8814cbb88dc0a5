"""Prometheus metrics: every name, unit and label of this process in one place.

Label values come from the configuration or from bounded sets in the code, never from a client; names carry
their unit (https://prometheus.io/docs/practices/naming/).
"""

from __future__ import annotations

from collections.abc import Iterable

from router_extproc.errors import ContextTooLong, RequestBlocked, UnsupportedRequest
from router_extproc.pipeline.caching.result import NO_CREDENTIAL_REASON
from router_extproc.pipeline.caching.reuse import BYPASS_REASONS
from router_extproc.pipeline.caching.savings import EntryWorth
from router_extproc.pipeline.counted import counted_answer, counted_hit
from router_extproc.pipeline.decision import (
    Decision,
    Explanation,
    Forward,
    LocalAnswer,
    Reject,
    Replay,
    StageNote,
)
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.protocol.modes import Role
from router_extproc.routing.route import Route
from router_extproc.server.base import Outcome
from router_extproc.telemetry.metrics.answers import AnswerMetrics
from router_extproc.telemetry.metrics.buckets import FAST_BUCKETS_S, SIMILARITY_BUCKETS
from router_extproc.telemetry.metrics.cache import CacheCollector
from router_extproc.telemetry.metrics.evaluations import EvaluationCounters
from router_extproc.telemetry.metrics.evidence import EvidenceCollector
from router_extproc.telemetry.metrics.policy import PolicyCollector
from router_extproc.telemetry.metrics.pools import PoolCollector
from router_extproc.telemetry.metrics.redaction import RedactionCounters
from router_extproc.telemetry.metrics.registered import RegisteredMetrics
from router_extproc.telemetry.metrics.savings import SavingsCounters
from router_extproc.telemetry.metrics.shadow_policy import ShadowPolicyMetrics
from router_extproc.telemetry.metrics.workers import WorkerCollector


class Metrics(RegisteredMetrics):
    """One process's metrics in a registry of their own; every method is quick and never raises."""

    def __init__(self) -> None:
        super().__init__()
        self._count_requests()
        self._count_candidates()
        self._answers = AnswerMetrics(self._counter, self._histogram)
        self._count_what_pools_were_spared()
        self._count_streams()
        self._redaction = RedactionCounters(self._counter)
        self.costs = SavingsCounters(self._counter)
        self.evaluations = EvaluationCounters(self._counter)
        self._collect()

    def _count_requests(self) -> None:
        self._requests = self._counter(
            "requests", "Requests decided.", "dialect", "decision", "model", "cache"
        )
        self._rejected = self._counter(
            "rejected_requests", "Requests answered with an error object.", "dialect", "code"
        )
        self._decided = self._histogram(
            "decision_duration_seconds",
            "Time from the whole body to the decision.",
            FAST_BUCKETS_S,
            "outcome",
        )
        self._stages = self._histogram(
            "stage_duration_seconds", "Time in one stage.", FAST_BUCKETS_S, "stage"
        )
        self._stage_outcomes = self._counter("stage_outcomes", "How stages ended.", "stage", "outcome")
        self._readings = self._counter("signal_readings", "Readings of signals.", "signal", "matched")
        left = "Readings that left some of the chosen parts unread."
        self._left = self._counter("signal_parts_left", left, "signal", "reason")
        no_place = "Changes of decisions that requests of the API have no place for."
        self._not_made = self._counter("changes_not_made", no_place, "dialect", "decision", "change")
        self._moves = self._counter("session_moves", "Choices by what they meant for the session.", "move")
        self._moves_up = self._counter("session_moves_up", "Sessions that moved up, by why.", "reason")

    def _count_candidates(self) -> None:
        self._candidates = self._counter(
            "cache_candidates", "Stored questions that were verified.", "accepted", "reason"
        )
        self._exact_only = self._counter(
            "cache_exact_only", "Lookups that only the same words could answer, by language.", "language"
        )
        self._similarity = self._histogram(
            "cache_candidate_similarity", "Cosine of verified candidates.", SIMILARITY_BUCKETS, "accepted"
        )
        self._no_credential = self._counter(
            "cache_no_credential",
            "Requests that bypassed the cache, for nothing in them says who asks.",
            "decision",
        )
        self._not_reused = self._counter(
            "cache_not_reused",
            "Requests that bypassed the cache for an answer of their own.",
            "reason",
        )
        self._ignored = self._counter(
            "cache_ignored_parts", "Parts of system prompts that `ignore` left out of the keys."
        )

    def _count_what_pools_were_spared(self) -> None:
        self._waited = self._counter(
            "coalesced_requests", "Requests that waited for the answer to an equal one.", "outcome"
        )
        self._saved_tokens = self._counter(
            "cache_saved_tokens", "Tokens that hits did not ask a pool for.", "model", "decision", "kind"
        )
        self._saved_cost = self._counter(
            "cache_saved_cost",
            "Price of these tokens, in the currency of models.*.cost.",
            "model",
            "decision",
        )
        self._fallbacks = self._counter(
            "fallbacks", "Requests that another model answered because a pool was down.", "model", "fallback"
        )
        self._failovers = self._counter(
            "failovers",
            "Requests that another model answered because the pool of the first did not begin to.",
            "model",
            "next",
        )

        self._local_replies = self._counter(
            "local_replies",
            "Requests that a decision blocked or answered itself, or that none of its models accepts.",
            "dialect", "decision", "action",
        )  # fmt: skip

    def _count_streams(self) -> None:
        self._streams = self._gauge("streams_in_flight", "Open streams from Envoy.", "role")
        self._admin_refused = self._counter(
            "admin_refused", "Requests that the admin port refused.", "reason"
        )
        self._stream_ends = self._counter("streams", "Streams that ended.", "role", "outcome")

    def _collect(self) -> None:
        """Register what is read from others at each scrape."""
        self.cache = CacheCollector()
        self.registry.register(self.cache)
        self.evidence = EvidenceCollector()
        self.registry.register(self.evidence)
        self.pools = PoolCollector()
        self.registry.register(self.pools)
        self.workers = WorkerCollector()
        self.registry.register(self.workers)
        self.policy = PolicyCollector()
        self.registry.register(self.policy)
        self.shadow_policy = ShadowPolicyMetrics(self.registry)

    # ── pipeline.report.Listener ──────────────────────────────────────────────────────────────

    def decided(self, report: DecisionReport) -> None:
        """Count a decision, its stages, readings and candidates."""
        decision = report.decision
        self._decided.labels(_outcome(decision)).observe(report.duration_s)
        if isinstance(decision, Reject):
            self._rejected.labels(report.dialect, decision.error.code or "none").inc()
            self._count_reject(decision)
            return
        if isinstance(decision, LocalAnswer):
            self._count_local(decision.explanation, "answer")
            return
        if report.waited:
            self._waited.labels("shared" if isinstance(decision, Replay) else "alone").inc()
        if isinstance(decision, Replay):
            self._count_saved(decision.saved)
            self.costs.count(counted_hit(decision))
        elif decision.route.fallback_of is not None:
            self._fallbacks.labels(decision.route.fallback_of, decision.route.target.model).inc()
        name, model = _names(decision)
        self._requests.labels(report.dialect, name, model, decision.cache.status).inc()
        self._count_keys(decision.explanation, name)
        self._count_readings(decision.explanation)
        self._count_lookup(decision.explanation)
        self._redaction.of_request(name, decision.explanation.redacted)

    def _count_reject(self, decision: Reject) -> None:
        """What a decision refused, or could not let leave."""
        if isinstance(decision.error, RequestBlocked):
            self._count_local(decision.explanation, "block")
        elif isinstance(decision.error, UnsupportedRequest | ContextTooLong):
            self._count_local(decision.explanation, "unaccepted")
        elif decision.explanation is not None:
            self._count_readings(decision.explanation)

    def _count_local(self, explanation: Explanation | None, action: str) -> None:
        """A request for which a decision asked no pool."""
        if explanation is None or explanation.route is None:
            return
        self._local_replies.labels(explanation.dialect, explanation.route.decision, action).inc()
        self._count_readings(explanation)

    def _count_readings(self, explanation: Explanation) -> None:
        for note in explanation.stages:
            self._count_stage(note)
        for reading in explanation.readings:
            self._readings.labels(reading.name, _word(reading.label is not None)).inc()
            if reading.left_chars:
                self._left.labels(reading.name, "late" if reading.late else "bounds").inc()

    def _count_lookup(self, explanation: Explanation) -> None:
        language = explanation.language
        if language is not None and not language.is_matched:
            self._exact_only.labels(language.code).inc()
        for candidate in explanation.candidates:
            accepted = _word(candidate.accepted)
            self._candidates.labels(accepted, candidate.reason).inc()
            self._similarity.labels(accepted).observe(candidate.similarity)

    def _count_keys(self, explanation: Explanation, decision: str) -> None:
        if explanation.cache_reason == NO_CREDENTIAL_REASON:
            self._no_credential.labels(decision).inc()
        if explanation.cache_reason in BYPASS_REASONS:
            self._not_reused.labels(explanation.cache_reason).inc()
        choice = explanation.route.choice if isinstance(explanation.route, Route) else None
        if choice is not None and choice.move is not None:
            self._moves.labels(choice.move).inc()
        if choice is not None and choice.up_reason is not None:
            self._moves_up.labels(choice.up_reason).inc()
        for change in explanation.not_made:
            self._not_made.labels(explanation.dialect, decision, change).inc()
        if explanation.ignored:
            self._ignored.inc(explanation.ignored)

    def _count_stage(self, note: StageNote) -> None:
        self._stages.labels(note.stage).observe(note.duration_s)
        self._stage_outcomes.labels(note.stage, note.outcome).inc()

    def _count_saved(self, saved: EntryWorth) -> None:
        names, worth = (saved.model, saved.decision), saved.worth
        self._saved_tokens.labels(*names, "prompt").inc(worth.prompt_tokens)
        self._saved_tokens.labels(*names, "completion").inc(worth.completion_tokens)
        self._saved_cost.labels(*names).inc(worth.cost)

    def answered(self, report: AnswerReport) -> None:
        """Count an answer, its tokens and whether it was stored."""
        self._answers.count(report)
        self.costs.count(counted_answer(report))
        if report.failover_of:
            self._failovers.labels(report.failover_of, report.model).inc()
        if report.tally is not None:
            self._redaction.of_answer(report.decision, report.tally)

    # ── admin.base.Operations ─────────────────────────────────────────────────────────────────

    def expect_refusals(self, reasons: Iterable[str]) -> None:
        """Show these reasons with 0 from the start, so that the first one is seen as an increase."""
        for reason in reasons:
            self._admin_refused.labels(reason)

    def refused(self, reason: str) -> None:
        """Count a request that the admin port refused."""
        self._admin_refused.labels(reason).inc()

    # ── server.base.StreamCounter ─────────────────────────────────────────────────────────────

    def opened(self, role: Role) -> None:
        """A stream began."""
        self._streams.labels(role.value).inc()

    def closed(self, role: Role, outcome: Outcome) -> None:
        """A stream ended."""
        self._streams.labels(role.value).dec()
        self._stream_ends.labels(role.value, outcome).inc()


def _outcome(decision: Decision) -> str:
    match decision:
        case Forward():
            return "forward"
        case Replay():
            return "replay"
        case LocalAnswer():
            return "answer"
        case Reject():
            return "reject"


def _names(decision: Forward | Replay) -> tuple[str, str]:
    if isinstance(decision, Replay):
        return decision.decision, decision.model
    return decision.route.decision, decision.route.target.model


def _word(value: bool) -> str:  # noqa: FBT001 - a label's value
    return "true" if value else "false"
