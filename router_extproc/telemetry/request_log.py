"""One log line for a decided request, and one for its answer, joined by Envoy's request id.

A line has names from the configuration, fixed words, numbers and ids of a checked form; nothing else that a
client or a pool wrote.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

import structlog

from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.brief import compared_choice, held_tests, scores_of
from router_extproc.pipeline.decision import Explanation, Forward, LocalAnswer, Reject, Replay
from router_extproc.pipeline.report import AnswerReport, DecisionReport, Listener
from router_extproc.pipeline.request_ids import RequestIds

Requests: TypeAlias = Literal["none", "all", "sampled", "errors"]
Facts: TypeAlias = dict[str, object]

#: Answers that ended otherwise than their dialect says; a type or size that is not read is no error.
BROKEN: Final = frozenset({"aborted", "cut_off", "error", "malformed", "unfinished"})
_ERROR_STATUS: Final = 400
_HASH_BYTES: Final = 8
#: Of a session's digest: enough to tell sessions apart.
_SESSION_CHARS: Final = 16


class RequestLog:
    """Fits pipeline.report.Listener."""

    def __init__(
        self, is_wanted: Callable[[DecisionReport], bool], is_answer_wanted: Callable[[AnswerReport], bool]
    ) -> None:
        self._is_wanted: Final = is_wanted
        self._is_answer_wanted: Final = is_answer_wanted
        self._log = structlog.get_logger()

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        if self._is_wanted(report):
            self._log.info("request decided", **decision_facts(report))

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""
        if self._is_answer_wanted(report):
            self._log.info("request answered", **answer_facts(report))


def open_request_log(requests: Requests, *, sample_rate: float) -> tuple[Listener, ...]:
    """The log that is asked for, if one is."""
    if requests == "none":
        return ()
    if requests == "errors":
        return (RequestLog(has_failed, has_answer_failed),)
    rate = 1.0 if requests == "all" else sample_rate
    return (
        RequestLog(
            lambda report: is_sampled(report.exchange.ids, rate),
            lambda report: is_sampled(report.exchange.ids, rate),
        ),
    )


# ── which requests ────────────────────────────────────────────────────────────────────────────


def is_sampled(ids: RequestIds, rate: float) -> bool:
    """Drawn by the request's id, so that every worker draws the same; without any id never, but at rate 1."""
    if rate >= 1:
        return True
    drawn_by = ids.request_id or ids.trace_id
    if not drawn_by:
        return False
    digest = hashlib.blake2b(drawn_by.encode(), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest) < int(rate * 256**_HASH_BYTES)


def has_failed(report: DecisionReport) -> bool:
    """It was rejected, or a stage failed or ran out of time."""
    decision = report.decision
    return isinstance(decision, Reject) or bool(_failed_stages(decision.explanation))


def has_answer_failed(report: AnswerReport) -> bool:
    """The pool's status is an error, or its answer broke off or cannot be read."""
    return report.status >= _ERROR_STATUS or report.incomplete in BROKEN


# ── what is said ──────────────────────────────────────────────────────────────────────────────


def decision_facts(report: DecisionReport) -> Facts:
    """The line of a decided request."""
    facts = _id_facts(report.exchange.ids) | {
        "dialect": report.dialect,
        "duration_ms": _ms(report.duration_s),
        "policy_version": report.policy_version,
    }
    if report.body_bytes is not None:
        facts["body_bytes"] = report.body_bytes
    if report.waited:
        facts["waited"] = True
    match report.decision:
        case Reject(error=error, explanation=explanation):
            facts |= {"outcome": "reject", "status": error.status, "code": error.code}
            if explanation is not None and explanation.route is not None:
                facts["decision"] = explanation.route.decision
            return facts
        case LocalAnswer() as local:
            facts |= {"outcome": "answer", "decision": local.decision}
            return facts | _explained(local.explanation)
        case Forward(route=route) as forward:
            facts |= {"outcome": "forward", "decision": route.decision, "model": route.target.model}
            facts["cluster"] = route.target.cluster
            return facts | _explained(forward.explanation)
        case Replay() as replay:
            facts |= {"outcome": "replay", "decision": replay.decision, "model": replay.model}
            return facts | _saved_by_hit(replay.compared) | _explained(replay.explanation)


def answer_facts(report: AnswerReport) -> Facts:
    """The line of an answer."""
    facts = _id_facts(report.exchange.ids) | {
        "dialect": report.dialect,
        "decision": report.decision,
        "model": report.model,
        "status": report.status,
        "streamed": report.streamed,
        "duration_ms": _ms(report.duration_s),
        "stored": report.stored,
    }
    if report.ttft_s is not None:
        facts["ttft_ms"] = _ms(report.ttft_s)
    if report.failover_of:
        facts["failover_of"] = report.failover_of
    if report.incomplete:
        facts["incomplete"] = report.incomplete
    if report.usage is not None:
        facts |= {
            "prompt_tokens": report.usage.prompt_tokens,
            "completion_tokens": report.usage.completion_tokens,
            "cached_tokens": report.usage.cached_tokens,
            "reasoning_tokens": report.usage.reasoning_tokens,
        }
    if report.finish_reason is not None:
        facts["finish_reason"] = report.finish_reason
    if report.time_per_token_s is not None:
        facts["time_per_token_ms"] = _ms(report.time_per_token_s)
    return facts | _cost_facts(report)


def _id_facts(ids: RequestIds) -> Facts:
    pairs = (("request_id", ids.request_id), ("trace_id", ids.trace_id), ("span_id", ids.span_id))
    return {name: value for name, value in pairs if value}


def _explained(explanation: Explanation) -> Facts:
    facts: Facts = {
        "cache": explanation.cache,
        "stages_ms": {note.stage: _ms(note.duration_s) for note in explanation.stages},
    }
    if held := held_tests(explanation):
        facts["because"] = list(held)
    if (choice := compared_choice(explanation)) is not None:
        facts["chosen"] = choice.reason
        facts["compared"] = {model: _rounded(each) for model, each in choice.numbers.items()}
    if scores := scores_of(explanation):
        facts["scores"] = dict(scores)
    if explanation.not_made:
        facts["not_made"] = list(explanation.not_made)
    if explanation.cache_reason:
        facts["cache_reason"] = explanation.cache_reason
    if explanation.candidates:
        facts["similarity"] = round(max(each.similarity for each in explanation.candidates), 4)
    if failed := _failed_stages(explanation):
        facts["stages_failed"] = dict(failed)
    return facts


def _saved_by_hit(compared: Compared | None) -> Facts:
    return {} if compared is None else {"saved": _amount(compared.expected)}


def _cost_facts(report: AnswerReport) -> Facts:
    """What the answer cost and saved, and of which session it is."""
    facts: Facts = {"session": report.session[:_SESSION_CHARS]} if report.session else {}
    if report.compared is not None:
        own, expected = report.compared.own, report.compared.expected
        facts |= {"cost": _amount(own), "saved": _amount(expected - own)}
    return facts


def _amount(money: float) -> float:
    """To six digits, as the answer's header says it."""
    return float(f"{money:.6g}")


def _rounded(numbers: Mapping[str, float]) -> dict[str, float]:
    return {name: float(f"{value:.4g}") for name, value in numbers.items()}


def _failed_stages(explanation: Explanation) -> Mapping[str, str]:
    failed = {
        note.stage: f"{note.outcome}: {note.reason}" if note.reason else note.outcome
        for note in explanation.stages
        if note.outcome != "ok"
    }
    return MappingProxyType(failed)


def _ms(seconds: float) -> float:
    return round(1000 * seconds, 3)
