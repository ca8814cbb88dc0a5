"""The cache's rules: what a client may ask of it, what may be stored, what is fresh.

It is not a store and does no I/O. The rule it keeps: a client can make the cache stricter for its
own request, never looser. Sources: RFC 9111 (cache-control), RFC 9211 (cache-status).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from router_extproc.cache.base import Entry
from router_extproc.llm.answer import Answer, Choice, Incomplete
from router_extproc.routing.policy import CachePolicy

#: This cache's name in `cache-status` (RFC 9211, section 2).
CACHE_NAME = "router-extproc"
#: RFC 9111, section 1.2.2: a larger number of seconds counts as this one.
DELTA_SECONDS_MAX = 2**31
#: Longer `cache-control` values are cut; no meaningful one comes near.
DIRECTIVES_CHARS_MAX = 4096

_DIRECTIVE = re.compile(r"""([^\s,="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s,]*))?[^,"]*""")
_READABLE_ENCODINGS = frozenset({"", "identity"})


# ── what the client asks ──────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Freshness:
    """How fresh an entry the client wants; expired ones are never used, whatever `max-stale` allows."""

    #: Not older than this many seconds (`max-age`).
    max_age_s: int | None = None
    #: Not within this many seconds of its expiry (`min-fresh`).
    min_fresh_s: int = 0


#: An entry may be dated as much later than now: the clocks of the processes that share a backend differ a
#: little. What is later still was stored before our clock was set back, or by one that is wrong: for how long
#: it has been there nobody knows, and it would live until its expiry comes, for years perhaps.
AHEAD_MAX_S: Final = 60.0
#: Whatever has not expired.
ANY_AGE: Final = Freshness()


@dataclass(frozen=True, slots=True)
class Directives:
    """The `cache-control` of a request (RFC 9111, section 5.2.1)."""

    #: Do not answer from the cache.
    no_cache: bool = False
    #: Do not store the answer.
    no_store: bool = False
    #: Answer from the cache or not at all.
    only_if_cached: bool = False
    freshness: Freshness = ANY_AGE


def read_directives(values: Iterable[str]) -> Directives:
    """The directives of all `cache-control` lines; unknown ones and junk are passed over.

    Of several `max-age` the smallest counts, of several `min-fresh` the largest; without a readable
    number the one counts as 0, the other as more than any entry has: the client meant to limit the age,
    and stricter is safe. `max-stale` is a permission that is never used, `no-transform` is always kept.
    """
    found = list(_each_directive(values))
    ages = [_delta_seconds(argument, unreadable=0) for name, argument in found if name == "max-age"]
    lefts = [
        _delta_seconds(argument, unreadable=DELTA_SECONDS_MAX)
        for name, argument in found
        if name == "min-fresh"
    ]
    names = {name for name, _ in found}
    return Directives(
        no_cache="no-cache" in names,
        no_store="no-store" in names,
        only_if_cached="only-if-cached" in names,
        freshness=Freshness(min(ages, default=None), max(lefts, default=0)),
    )


def _each_directive(values: Iterable[str]) -> Iterator[tuple[str, str]]:
    for value in values:
        for match in _DIRECTIVE.finditer(value[:DIRECTIVES_CHARS_MAX]):
            yield match[1].lower(), (match[2] or "").strip('"')


def _delta_seconds(argument: str, *, unreadable: int) -> int:
    if not (argument.isascii() and argument.isdigit()):
        return unreadable
    # Ten digits hold every number under the cap; more are over it whatever they are.
    return min(int(argument[:11]), DELTA_SECONDS_MAX)


# ── what is fresh ─────────────────────────────────────────────────────────────────────────────


def age_s(entry: Entry, now_s: float) -> int:
    """Whole seconds since the entry was stored; 0 when the clock went back meanwhile."""
    return max(0, math.floor(now_s - entry.created_s))


def ttl_left_s(entry: Entry, now_s: float) -> int:
    """Whole seconds until the entry expires, never below 0, and never more than it was stored for."""
    left_s = min(entry.expires_s - now_s, entry.expires_s - entry.created_s)
    return max(0, math.floor(left_s))


def is_expired(entry: Entry, now_s: float) -> bool:
    """True when the entry's time is over."""
    return now_s >= entry.expires_s


def is_fresh(entry: Entry, now_s: float, wanted: Freshness = ANY_AGE) -> bool:
    """True while the entry may be used: before its expiry, not dated later than now, as fresh as wanted."""
    if is_expired(entry, now_s) or entry.created_s > now_s + AHEAD_MAX_S:
        return False
    young = wanted.max_age_s is None or age_s(entry, now_s) <= wanted.max_age_s
    return young and now_s + wanted.min_fresh_s <= entry.expires_s


# ── what may be stored ────────────────────────────────────────────────────────────────────────


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


def may_store(received: Received, policy: CachePolicy, *, now_s: float, answer_bytes_max: int) -> Storing:
    """Whether the answer is complete, successful, not personal and small enough to be reused."""
    reason = _header_reason(received) or _answer_reason(received.answer, policy)
    if reason is None and received.answer_bytes > answer_bytes_max:
        reason = "too-large"
    if reason is None and policy.mode == "off":
        reason = "policy"
    return Store(now_s + policy.ttl_s) if reason is None else NoStore(reason)


def _header_reason(received: Received) -> str | None:
    if not 200 <= received.status <= 299:  # noqa: PLR2004 - the class of successful answers
        return "status"
    if "set-cookie" in received.headers:
        return "set-cookie"
    if received.headers.get("content-encoding", "").strip().lower() not in _READABLE_ENCODINGS:
        return "content-encoding"
    # `no-cache` is no reason: servers put it on every event stream to keep proxies from buffering.
    asked = {name for name, _ in _each_directive((received.headers.get("cache-control", ""),))}
    return "response-directive" if asked & {"no-store", "private"} else None


def _answer_reason(answer: Answer | Incomplete, policy: CachePolicy) -> str | None:
    if isinstance(answer, Incomplete):
        return answer.reason
    if not answer.choices:
        return "empty"
    if answer.has_tool_calls and not policy.store_tool_calls:
        return "tool-calls"
    return None if all(_is_finished(choice) for choice in answer.choices) else "finish-reason"


def _is_finished(choice: Choice) -> bool:
    if choice.tool_calls:
        return choice.finish_reason in {"stop", "tool_calls"}
    return choice.finish_reason == "stop"


# ── what the client is told ───────────────────────────────────────────────────────────────────

#: Why the request went on to the pool (RFC 9211, section 2.2).
ForwardReason = Literal["uri-miss", "request", "bypass"]


def render_hit(*, kind: Literal["exact", "semantic"], similarity: float, ttl_s: int) -> str:
    """The `cache-status` of a hit: `router-extproc; hit; ttl=N; detail="..."`."""
    detail = "exact" if kind == "exact" else f"semantic similarity={similarity:.3f}"
    return f'{CACHE_NAME}; hit; ttl={ttl_s}; detail="{detail}"'


def render_collapsed(told: str, *, used: bool) -> str:
    """The same for a request that has waited for the answer to an equal one (RFC 9211, section 2.6).

    used: it was answered with that, and not forwarded.
    """
    return f"{told}; collapsed" if used else f"{told}; collapsed=?0"


def render_forward(reason: ForwardReason, *, similarity: float | None = None) -> str:
    """The `cache-status` of a request that went on; `similarity`: of the nearest refused candidate.

    `stored` is never said: the answer is stored, or not, after these headers are gone.
    """
    detail = "" if similarity is None else f'; detail="similarity={similarity:.3f}"'
    return f"{CACHE_NAME}; fwd={reason}{detail}"
