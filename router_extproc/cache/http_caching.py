"""HTTP caching headers: `cache-control` of requests (RFC 9111), `cache-status` of answers (RFC 9211).

A client can make the cache stricter for its own request, never looser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from router_extproc.cache.freshness import ANY_AGE, Freshness

#: This cache's name in `cache-status` (RFC 9211, section 2).
CACHE_NAME = "router-extproc"
#: RFC 9111, section 1.2.2: a larger number of seconds counts as this one.
DELTA_SECONDS_MAX = 2**31
#: Longer `cache-control` values are cut; no meaningful one comes near.
DIRECTIVES_CHARS_MAX = 4096

_DIRECTIVE = re.compile(r"""([^\s,="]+)(?:=("(?:[^"\\]|\\.)*"|[^\s,]*))?[^,"]*""")


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
    """The directives of all `cache-control` lines; unknown ones and junk are skipped.

    Of several `max-age` the smallest counts, of several `min-fresh` the largest; without a readable
    number the one counts as 0, the other as more than any entry has: the client meant to limit the age,
    and stricter is safe. `max-stale` is a permission that is never used, `no-transform` is always kept.
    """
    found = list(each_directive(values))
    ages = [delta_seconds(argument, unreadable=0) for name, argument in found if name == "max-age"]
    lefts = [
        delta_seconds(argument, unreadable=DELTA_SECONDS_MAX)
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


def each_directive(values: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Name, in lower case, and argument of each directive, in the order written; junk is skipped."""
    for value in values:
        for match in _DIRECTIVE.finditer(value[:DIRECTIVES_CHARS_MAX]):
            yield match[1].lower(), (match[2] or "").strip('"')


def delta_seconds(argument: str, *, unreadable: int) -> int:
    """A number of seconds, capped as RFC 9111 asks; `unreadable`: what anything else counts as."""
    if not (argument.isascii() and argument.isdigit()):
        return unreadable
    # Ten digits hold every number under the cap; more are over it whatever they are.
    return min(int(argument[:11]), DELTA_SECONDS_MAX)


#: Why the request went on to the pool (RFC 9211, section 2.2).
ForwardReason = Literal["uri-miss", "request", "bypass"]


def render_hit(*, kind: Literal["exact", "semantic"], similarity: float, ttl_s: int) -> str:
    """The `cache-status` of a hit: `router-extproc; hit; ttl=N; detail="..."`."""
    detail = "exact" if kind == "exact" else f"semantic similarity={similarity:.3f}"
    return f'{CACHE_NAME}; hit; ttl={ttl_s}; detail="{detail}"'


def render_collapsed(cache_status: str, *, used: bool) -> str:
    """The same for a request that has waited for the answer to an equal one (RFC 9211, section 2.6).

    used: it was answered with that, and not forwarded.
    """
    return f"{cache_status}; collapsed" if used else f"{cache_status}; collapsed=?0"


def render_forward(reason: ForwardReason, *, similarity: float | None = None, detail: str = "") -> str:
    """The `cache-status` of a request that went on; `similarity`: of the nearest refused candidate.

    detail: more than the reason says, in words without quotes.
    `stored` is never said: the answer is stored, or not, after these headers are gone.
    """
    told = detail if similarity is None else f"similarity={similarity:.3f}"
    return f'{CACHE_NAME}; fwd={reason}; detail="{told}"' if told else f"{CACHE_NAME}; fwd={reason}"
