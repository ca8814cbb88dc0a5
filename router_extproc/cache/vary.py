"""Which request headers an answer hangs on, by the pool's own word: `vary` (RFC 9110, section 12.5.5).

The names are known only from an answer. Until a worker has learned them, an answer that names others is not
stored; from then on their values are part of every key (RFC 9111, section 4.1).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

#: Different header names that one process puts into its keys; answers that name more are not stored.
NAMES_MAX: Final = 16
#: Characters of one header's name; no real one comes near.
NAME_CHARS_MAX: Final = 64
#: An answer is stored decoded and sent without any encoding, whatever a client accepts. Of the page that asks
#: only the CORS headers hang, and an entry remembers which page they are for. vLLM names it on every answer.
_WITHOUT_EFFECT: Final = frozenset({"accept-encoding", "origin"})

#: Stands for "nobody knows": the answer hangs on more than the request's headers.
ANYTHING: Final = "*"


def read_vary(value: str) -> frozenset[str]:
    """The names in lower case, without those that cannot change a stored answer; ANYTHING stays.

    value: of all `vary` headers, joined by commas.
    """
    names = (name.strip().lower() for name in value.split(","))
    return frozenset(name for name in names if name) - _WITHOUT_EFFECT


class VaryNames:
    """What this process has learned of its pools; it forgets nothing until it ends."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = tuple(sorted(set(names)))

    @property
    def names(self) -> tuple[str, ...]:
        """Headers whose values are part of every key, sorted."""
        return self._names

    def learn(self, names: frozenset[str]) -> None:
        """Put these headers into the keys from now on, as far as there is room."""
        new = {name for name in names if name != ANYTHING and len(name) <= NAME_CHARS_MAX}
        room = NAMES_MAX - len(self._names)
        self._names = tuple(sorted((*self._names, *sorted(new.difference(self._names))[:room])))
