"""What may be stored: the rules that an answer has to pass before it becomes an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from router_extproc.cache.decision_policy import StoreRules
from router_extproc.cache.pool_freshness import forbids_reuse, fresh_s
from router_extproc.llm.answer import AnswerFacts, Choice, Incomplete


@dataclass(frozen=True, slots=True)
class Store:
    """The answer may be stored, until `expires_s` (wall clock)."""

    expires_s: float


@dataclass(frozen=True, slots=True)
class NoStore:
    """The answer must not be stored; `reason` is a metric label of a bounded set."""

    reason: str


Storing: TypeAlias = Store | NoStore


@dataclass(frozen=True, slots=True)
class Received:
    """What came back from a pool, as far as storing it matters."""

    status: int
    #: Names in lower case; of a repeated header the values are joined by commas.
    headers: Mapping[str, str]
    answer: AnswerFacts | Incomplete
    #: Size of the encoded answer.
    answer_bytes: int
    #: When the request was forwarded, wall clock.
    asked_s: float


def may_store(received: Received, rules: StoreRules, *, now_s: float, answer_bytes_max: int) -> Storing:
    """Whether the answer is complete, successful, not personal and small enough to be reused."""
    reason = _header_reason(received) or _answer_reason(received.answer, rules)
    if reason is None and received.answer_bytes > answer_bytes_max:
        reason = "too-large"
    if reason is not None:
        return NoStore(reason)
    told_s = fresh_s(received.headers, now_s=now_s, asked_s=received.asked_s)
    ttl_s = rules.ttl_s if told_s is None else min(rules.ttl_s, told_s)
    return Store(now_s + ttl_s) if ttl_s > 0 else NoStore("stale")


def _header_reason(received: Received) -> str | None:
    if not 200 <= received.status <= 299:  # noqa: PLR2004 - the class of successful answers
        return "status"
    if "set-cookie" in received.headers:
        return "set-cookie"
    return "response-directive" if forbids_reuse(received.headers) else None


def _answer_reason(answer: AnswerFacts | Incomplete, rules: StoreRules) -> str | None:
    if isinstance(answer, Incomplete):
        return answer.reason
    if not answer.choices:
        return "empty"
    if answer.has_tool_calls and not rules.store_tool_calls:
        return "tool-calls"
    return None if all(_is_finished(choice) for choice in answer.choices) else "finish-reason"


def _is_finished(choice: Choice) -> bool:
    if choice.tool_calls:
        return choice.finish_reason in {"stop", "tool_calls"}
    return choice.finish_reason == "stop"
