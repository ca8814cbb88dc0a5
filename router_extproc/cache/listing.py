"""What operators do with the entries of a cache: page through them, count them, import them.

However many entries there are, one page is in memory at a time.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import TypeAlias

from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.freshness import is_fresh
from router_extproc.cache.semantic_cache import SemanticCache

#: Where an entry stands in the list: creation and fingerprint.
Place: TypeAlias = tuple[float, str]


@dataclass(frozen=True, slots=True)
class Page:
    """Some entries, newest first."""

    entries: tuple[Entry, ...]
    #: Entries on all pages.
    total: int
    #: The next page begins after it; None: this is the last page.
    last: Place | None


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of entries that were to be brought back."""

    stored: int
    #: Their time was over.
    expired: int
    #: They were purged since the process started, and would not be answered with.
    purged: int


async def newest(cache: SemanticCache, selector: Selector, *, limit: int, after: Place | None = None) -> Page:
    """The page of at most `limit` entries that begins after a place.

    Raises:
        CacheError: the backend stopped answering.
    """
    kept: list[tuple[float, str, Entry]] = []
    total = 0
    async for entry in cache.entries(selector):
        total += 1
        if after is None or _place(entry) < after:
            heapq.heappush(kept, (*_place(entry), entry))
        if len(kept) > limit + 1:
            heapq.heappop(kept)
    entries = tuple(entry for _, _, entry in sorted(kept, reverse=True))[:limit]
    return Page(entries, total, _place(entries[-1]) if len(kept) > limit else None)


async def count(cache: SemanticCache, selector: Selector) -> int:
    """How many entries are meant.

    Raises:
        CacheError: the backend stopped answering.
    """
    total = 0
    async for _ in cache.entries(selector):
        total += 1
    return total


async def restore(
    cache: SemanticCache, entries: Iterable[Entry], *, now_s: float, renew: bool = False
) -> Restored:
    """Store entries as they were; those that could not be answered with are left out.

    renew: let each begin its time anew, now.

    Raises:
        CacheError: the backend does not answer.
    """
    wanted = [_renewed(entry, now_s) if renew else entry for entry in entries]
    fresh = [entry for entry in wanted if is_fresh(entry, now_s)]
    usable = [entry for entry in fresh if renew or not cache.is_purged(entry)]
    stored = await cache.keep(usable)
    return Restored(stored, expired=len(wanted) - len(fresh), purged=len(fresh) - len(usable))


def _place(entry: Entry) -> Place:
    return entry.created_s, entry.fingerprint


def _renewed(entry: Entry, now_s: float) -> Entry:
    return replace(entry, created_s=now_s, expires_s=now_s + max(0.0, entry.expires_s - entry.created_s))
