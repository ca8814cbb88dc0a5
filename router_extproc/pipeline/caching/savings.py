"""What hits have saved: tokens and money, in all and for each entry.

Only what a pool once reported is counted: an answer without usage saves nothing that is known. The entries
that are remembered are bounded.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import FREE, Price

#: Entries whose hits are remembered; beyond, the one that was not hit for the longest time is forgotten.
ENTRIES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True)
class Worth:
    """What some hits have saved."""

    hits: int = 0
    #: Hits on answers whose pool reported no usage: they saved more than is counted here.
    unmeasured_hits: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Worth) -> Worth:
        return Worth(
            self.hits + other.hits,
            self.unmeasured_hits + other.unmeasured_hits,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.cost + other.cost,
        )

    def rank(self) -> tuple[float, int, int]:
        """The larger, the more valuable: money first, then tokens, then hits."""
        return self.cost, self.prompt_tokens + self.completion_tokens, self.hits


@dataclass(frozen=True, slots=True)
class Prices:
    """The price of every model; a model that is gone from the configuration costs nothing."""

    of_model: Mapping[str, Price]

    def worth(self, model: str, usage: Usage | None) -> Worth:
        """What one hit on an answer of this model saves."""
        if usage is None:
            return Worth(hits=1, unmeasured_hits=1)
        prompt, completion = max(0, usage.prompt_tokens), max(0, usage.completion_tokens)
        cost = self.of_model.get(model, FREE).of(usage)
        return Worth(1, 0, prompt, completion, cost)


@dataclass(frozen=True, slots=True)
class EntryWorth:
    """One entry and what it has saved."""

    fingerprint: str
    model: str
    decision: str
    worth: Worth


@dataclass(frozen=True, slots=True)
class SavingsBatch:
    """What some hits saved together."""

    total: Worth = Worth()
    #: Those that are remembered, the one that was hit least lately first.
    entries: tuple[EntryWorth, ...] = ()


class Savings:
    """Adds up what hits saved: those of this process, and those that were handed to it."""

    def __init__(self, *, entries_max: int = ENTRIES_MAX) -> None:
        """`entries_max`: entries that are remembered; the total is of all."""
        self._entries_max = entries_max
        self._total = Worth()
        self._entries: OrderedDict[str, EntryWorth] = OrderedDict()

    def add(self, hit: EntryWorth) -> None:
        """Count one hit."""
        self._total += hit.worth
        self._add_entry(hit)

    def add_batch(self, batch: SavingsBatch) -> None:
        """Count what another process, or this one before a restart, has counted."""
        self._total += batch.total
        for entry in batch.entries:
            self._add_entry(entry)

    def batch(self) -> SavingsBatch:
        """All of it."""
        return SavingsBatch(self._total, tuple(self._entries.values()))

    def move_out(self) -> SavingsBatch:
        """All of it; it is counted elsewhere from now on, and this begins anew."""
        batch = self.batch()
        self._total = Worth()
        self._entries.clear()
        return batch

    @property
    def empty(self) -> bool:
        """True: nothing has been counted."""
        return not self._total.hits

    @property
    def total(self) -> Worth:
        """Of all hits, those of forgotten entries included."""
        return self._total

    def most_valuable(self) -> Iterator[EntryWorth]:
        """The remembered entries, the most valuable first."""
        return iter(sorted(self._entries.values(), key=lambda each: each.worth.rank(), reverse=True))

    def _add_entry(self, hit: EntryWorth) -> None:
        before = self._entries.pop(hit.fingerprint, None)
        worth = hit.worth if before is None else before.worth + hit.worth
        self._entries[hit.fingerprint] = EntryWorth(hit.fingerprint, hit.model, hit.decision, worth)
        if len(self._entries) > self._entries_max:
            self._entries.popitem(last=False)
