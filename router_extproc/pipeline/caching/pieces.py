"""Requests made of pieces: each piece is stored for itself; a request whose pieces are all known is a hit.

The pieces may come from several earlier answers, in any order. One that is missing makes the whole request a
miss: a pool gets requests as their clients wrote them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter
from typing import Final, Literal

from router_extproc.cache.base import Entry, Fingerprint
from router_extproc.cache.results import CacheLookup, Hit
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.pipeline.token import PiecesPlan

#: Lookups in the backend at once for one request: Milvus Lite takes no more from a whole worker.
LOOKUPS_AT_ONCE: Final = 4


def join_near(cache: CacheLookup, fingerprints: Sequence[Fingerprint], parsed: ParsedRequest) -> Hit | None:
    """The hit of pieces that are all in this process, and all answered under the same decision."""
    hits: dict[Fingerprint, Hit] = {}
    for fingerprint in fingerprints:
        hit = cache.exact_near(fingerprint, parsed.directives.freshness)
        if hit is None:
            return None
        hits[fingerprint] = hit
    return _joined(fingerprints, hits)


async def join(cache: CacheLookup, plan: PiecesPlan, parsed: ParsedRequest) -> Hit | None:
    """The hit of pieces that are all stored under the plan's decision, wherever; None: one is not."""
    hits: dict[Fingerprint, Hit] = {}
    missing: list[Fingerprint] = []
    for fingerprint in dict.fromkeys(plan.fingerprints):
        near = cache.exact_near(fingerprint, parsed.directives.freshness)
        if near is None:
            missing.append(fingerprint)
        else:
            hits[fingerprint] = near
    if not await _fetch(cache, missing, parsed, hits):
        return None
    joined = _joined(plan.fingerprints, hits)
    return joined if joined is not None and joined.entry.partition == plan.partition else None


async def _fetch(
    cache: CacheLookup, missing: Sequence[Fingerprint], parsed: ParsedRequest, into: dict[Fingerprint, Hit]
) -> bool:
    """Look the rest up in the backend; False: one is not there. The first alone: most batches are new."""
    rest = range(1, len(missing), LOOKUPS_AT_ONCE)
    for group in (missing[:1], *(missing[start : start + LOOKUPS_AT_ONCE] for start in rest)):
        async with asyncio.TaskGroup() as tasks:
            found = [tasks.create_task(cache.exact(each, parsed.directives.freshness)) for each in group]
        for fingerprint, task in zip(group, found, strict=True):
            hit = task.result()
            if not isinstance(hit, Hit):
                return False
            into[fingerprint] = hit
    return True


def _joined(fingerprints: Sequence[Fingerprint], hits: Mapping[Fingerprint, Hit]) -> Hit | None:
    entries = tuple(hits[fingerprint].entry for fingerprint in fingerprints)
    if len({(entry.partition, entry.decision, entry.model) for entry in entries}) != 1:
        return None
    oldest: Entry = min(entries, key=attrgetter("created_s"))
    shown = replace(oldest, expires_s=min(entry.expires_s for entry in entries))
    tier: Literal["near", "backend"] = (
        "backend" if any(hit.tier == "backend" for hit in hits.values()) else "near"
    )
    return Hit(shown, "exact", similarity=1.0, score=1.0, tier=tier, pieces=entries)
