"""Which entries may be answered with now: fresh ones that no operator has purged."""

from __future__ import annotations

from dataclasses import dataclass

from router_extproc.cache.base import Entry
from router_extproc.cache.freshness import ANY_AGE, Freshness, is_fresh
from router_extproc.cache.purges import Purges
from router_extproc.clock import Clock


@dataclass(frozen=True, slots=True)
class Usable:
    """Says of an entry whether it may be answered with."""

    clock: Clock
    purges: Purges

    def __call__(self, entry: Entry, wanted: Freshness = ANY_AGE) -> bool:
        """True while it is as fresh as wanted and not purged."""
        return is_fresh(entry, self.clock.wall_s(), wanted) and not self.purges.cover(entry)
