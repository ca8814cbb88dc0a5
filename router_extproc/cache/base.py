"""The values of the semantic cache, and the port that every backend fits.

An entry, a query and a purge all carry a scope, so that nothing can be looked up without one.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NewType, Protocol

from router_extproc.cache.health import Health
from router_extproc.errors import CacheError
from router_extproc.models.base import Vector

#: Digest of who may share entries (hex).
Scope = NewType("Scope", str)
#: Digest of everything but the prompt that an answer depends on, scope and decision included (hex).
Partition = NewType("Partition", str)
#: Digest of the whole canonical request, scope included, decision not: it is known before any
#: inference (hex).
Fingerprint = NewType("Fingerprint", str)


@dataclass(frozen=True, slots=True)
class Entry:
    """One stored answer."""

    fingerprint: Fingerprint
    partition: Partition
    scope: Scope
    #: None: exact matches only (no text, or longer than the encoder's window).
    vector: Vector | None
    #: The question, for verification; "" when vector is None.
    prompt: str
    #: The document of the answer (llm.stored); `dialect` restores the answer from it.
    answer: bytes
    dialect: str
    #: The model that answered: a key of `models`.
    model: str
    #: The decision that chose it.
    decision: str
    created_s: float
    expires_s: float
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entry near a vector; similarity is the cosine in [-1, 1], higher is nearer."""

    entry: Entry
    similarity: float


@dataclass(frozen=True, slots=True)
class Selector:
    """Which entries are meant, to purge or to list: all given fields must match; none given means all."""

    #: First digits of the fingerprint, or all of them.
    fingerprint: str | None = None
    scope: Scope | None = None
    model: str | None = None
    decision: str | None = None
    tag: str | None = None
    #: Created at or before this wall-clock second.
    created_max_s: float | None = None


#: Every entry.
EVERYTHING: Final = Selector()


@dataclass(frozen=True, slots=True)
class BackendState:
    """What an operator sees of a backend."""

    ready: bool
    entries: int | None
    detail: str = ""
    counters: dict[str, int] = field(default_factory=dict)
    #: None: it cannot be lost.
    health: Health | None = None


class CacheRejected(CacheError):
    """The backend understood and will never take this: trying again is useless."""


class FeedGap(CacheError):
    """Writes of other processes may have been missed: only reading all of the backend tells."""


class CacheBackend(Protocol):
    """Where entries live. Expired entries are never returned. Raises CacheError only."""

    async def get(self, fingerprint: Fingerprint) -> Entry | None:
        """The entry of exactly this request."""
        ...

    async def search(
        self, scope: Scope, partition: Partition, vector: Vector, *, limit: int
    ) -> Sequence[Neighbour]:
        """The nearest entries of the scope's partition, nearest first."""
        ...

    async def put(self, entries: Sequence[Entry]) -> None:
        """Store or replace by fingerprint."""
        ...

    async def purge(self, selector: Selector) -> int:
        """Remove what the selector means; how many, as far as the backend knows."""
        ...

    async def state(self) -> BackendState:
        """Ready or not, and how much it holds; never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Announcement:
    """A purge that some process carried out."""

    selector: Selector
    #: When, by that process's wall clock.
    at_s: float

    @property
    def meant(self) -> Selector:
        """What it means later: of nothing that was created after it."""
        asked_s = self.selector.created_max_s
        until_s = self.at_s if asked_s is None else min(self.at_s, asked_s)
        return replace(self.selector, created_max_s=until_s)


class PurgeLog(Protocol):
    """Where the processes that share a backend tell each other of purges. Raises CacheError only."""

    async def announce(self, purge: Announcement) -> None:
        """Tell all others, those too that start later."""
        ...

    async def news(self) -> Sequence[Announcement]:
        """What others announced and was not told yet; the first time, all that is kept."""
        ...


class EntrySource(Protocol):
    """A backend that can tell all it holds, so that the near tier is warm after a start."""

    @property
    def exclusive(self) -> bool:
        """True when no other process can write to it."""
        ...

    def entries(self, *, limit: int, selector: Selector = EVERYTHING) -> AsyncIterator[Sequence[Entry]]:
        """Fresh entries that are meant, at most `limit`, page by page, each once. Raises CacheError only."""
        ...


class WriteFeed(Protocol):
    """What other processes write to the backend that they share. Raises CacheError only."""

    async def begin(self) -> None:
        """Tell what is written from now on."""
        ...

    async def news(self) -> Sequence[Entry]:
        """What others wrote and was not told yet.

        Raises:
            FeedGap: something may have been missed; after `begin`, all has to be read again.
        """
        ...
