"""How fresh an entry is, and how fresh a client wants it (RFC 9111, section 4.2)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from router_extproc.cache.base import Entry


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
