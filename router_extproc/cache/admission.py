"""What may be stored: the rules that an answer has to pass before it becomes an entry."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from router_extproc.cache.decision_policy import StoreRules
from router_extproc.cache.http_caching import each_directive
from router_extproc.llm.answer import Answer, Choice, Incomplete

_READABLE_ENCODINGS = frozenset({"", "identity"})


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
    answer: Answer | Incomplete
    #: Size of the encoded answer.
    answer_bytes: int


def may_store(received: Received, rules: StoreRules, *, now_s: float, answer_bytes_max: int) -> Storing:
    """Whether the answer is complete, successful, not personal and small enough to be reused."""
    reason = _header_reason(received) or _answer_reason(received.answer, rules)
    if reason is None and received.answer_bytes > answer_bytes_max:
        reason = "too-large"
    return Store(now_s + rules.ttl_s) if reason is None else NoStore(reason)


def _header_reason(received: Received) -> str | None:
    if not 200 <= received.status <= 299:  # noqa: PLR2004 - the class of successful answers
        return "status"
    if "set-cookie" in received.headers:
        return "set-cookie"
    if received.headers.get("content-encoding", "").strip().lower() not in _READABLE_ENCODINGS:
        return "content-encoding"
    # `no-cache` is no reason: servers put it on every event stream to keep proxies from buffering.
    asked = {name for name, _ in each_directive((received.headers.get("cache-control", ""),))}
    return "response-directive" if asked & {"no-store", "private"} else None


def _answer_reason(answer: Answer | Incomplete, rules: StoreRules) -> str | None:
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
