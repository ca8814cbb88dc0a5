"""Requests that were answered with another request's entry: the next time no verification is needed.

Holds fingerprints only. An alias lives no longer than its entry: expiry, eviction and every purge of that
entry end the alias, too.
"""

from __future__ import annotations

from typing import Final

from router_extproc.cache.base import Fingerprint

#: Of one entry; the oldest leaves for a new one.
ALIASES_PER_ENTRY_MAX = 4


class Aliases:
    """From the fingerprint of a request to that of the entry it was answered with."""

    def __init__(self) -> None:
        self._entry_of: Final[dict[Fingerprint, Fingerprint]] = {}
        self._aliases_of: Final[dict[Fingerprint, list[Fingerprint]]] = {}

    def __len__(self) -> int:
        return len(self._entry_of)

    def entry_of(self, alias: Fingerprint) -> Fingerprint | None:
        """The entry whose answer an alias uses."""
        return self._entry_of.get(alias)

    def add(self, alias: Fingerprint, entry: Fingerprint) -> None:
        """Let an alias stand for an entry, and for no other."""
        self.forget(alias)
        aliases = self._aliases_of.setdefault(entry, [])
        if len(aliases) == ALIASES_PER_ENTRY_MAX:
            del self._entry_of[aliases.pop(0)]
        aliases.append(alias)
        self._entry_of[alias] = entry

    def forget(self, alias: Fingerprint) -> None:
        """Take an alias away, if it is one."""
        entry = self._entry_of.pop(alias, None)
        if entry is None:
            return
        self._aliases_of[entry].remove(alias)
        if not self._aliases_of[entry]:
            del self._aliases_of[entry]

    def forget_entry(self, entry: Fingerprint) -> None:
        """Take all aliases of an entry away."""
        for alias in self._aliases_of.pop(entry, ()):
            del self._entry_of[alias]
