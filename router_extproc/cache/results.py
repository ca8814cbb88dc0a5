"""What is asked of the cache, and what it finds: a hit with its tier and verdict, a miss with its reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from router_extproc.cache.base import BackendState, Entry, Fingerprint, Neighbour, Partition, Scope
from router_extproc.cache.freshness import ANY_AGE, Freshness
from router_extproc.models.base import Vector, Verdict


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked of the semantic tier."""

    scope: Scope
    partition: Partition
    vector: Vector
    prompt: str
    #: Neighbours below it are not even verified.
    similarity_min: float
    freshness: Freshness = ANY_AGE


@dataclass(frozen=True, slots=True)
class Judged:
    """A neighbour that was verified."""

    neighbour: Neighbour
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Hit:
    """A stored answer that may be replayed."""

    entry: Entry
    kind: Literal["exact", "semantic"]
    #: 1.0 for exact hits.
    similarity: float
    #: The verdict's score; 1.0 for exact hits.
    score: float
    tier: Literal["near", "backend"]
    #: The candidates that were verified, the accepted one last.
    judged: tuple[Judged, ...] = ()
    #: The entries of all pieces of the request, in their order; then `entry` is the oldest of them, which
    #: expires when the first of them does. None: the answer was stored as a whole.
    pieces: tuple[Entry, ...] = ()


#: Why there is no hit: no entry (or none similar enough), every candidate refused, or no answer from the
#: backend. Metric labels.
MissReason = Literal["absent", "refused", "backend"]


@dataclass(frozen=True, slots=True)
class Miss:
    """Nothing stored fits."""

    reason: MissReason
    judged: tuple[Judged, ...] = ()


Found: TypeAlias = Hit | Miss


class CacheLookup(Protocol):
    """Finds stored answers. Every lookup may be cancelled at any await and leaves nothing half done."""

    def exact_near(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Hit | None:
        """The exact hit of this process, without any wait."""
        ...

    async def exact(self, fingerprint: Fingerprint, wanted: Freshness = ANY_AGE) -> Found:
        """The exact hit, wherever it is stored; needs no inference."""
        ...

    async def semantic(self, query: Query) -> Found:
        """The nearest entry that the verifier accepts."""
        ...

    def note(self, fingerprint: Fingerprint, hit: Hit) -> None:
        """Make the request that a semantic hit answered an exact hit from now on."""
        ...

    def read_only(self) -> CacheLookup:
        """The same lookup, which changes nothing: no order of eviction, copy, alias or counter."""
        ...


#: Where an entry was stored: everywhere; only in this process (the queue to the backend was full); or
#: nowhere, since a purge meant it.
Kept = Literal["stored", "near-only", "purged"]


@dataclass(frozen=True, slots=True)
class CacheState:
    """What an operator sees of the cache."""

    near_entries: int
    near_bytes: int
    #: The near tier holds all that the backend holds: lookups do not ask it.
    near_is_complete: bool
    queued: int
    backend: BackendState | None
    counters: dict[str, int]
