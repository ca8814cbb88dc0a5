"""Remembers what was found in texts: each request of a conversation repeats those before it.

What is found depends on the text alone, so all clients share it. A client can learn one thing: a text is read
sooner when somebody has sent the very same one. Keys are hashes under a secret of this object and values hold
no text, so nothing that a client wrote can be read from it.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from hashlib import blake2b
from threading import Lock
from typing import Final, Generic, TypeVar

FoundT = TypeVar("FoundT")

#: Texts that are remembered, the longest unused forgotten first; about 300 bytes each.
KNOWN_MAX: Final = 16_384
_SECRET_BYTES: Final = 32
_KEY_BYTES: Final = 16


class KnownTexts(Generic[FoundT]):
    """At most `entries_max` texts with what was found in them; safe to use from several threads."""

    def __init__(self, entries_max: int = KNOWN_MAX) -> None:
        self._entries_max: Final = entries_max
        self._secret: Final = secrets.token_bytes(_SECRET_BYTES)
        self._found: Final[OrderedDict[bytes, FoundT]] = OrderedDict()
        self._lock: Final = Lock()

    def get(self, kind: str, text: str) -> FoundT | None:
        """What was found in the text, read as `kind`; None: it is not known."""
        key = self._key(kind, text)
        with self._lock:
            found = self._found.get(key)
            if found is not None:
                self._found.move_to_end(key)
            return found

    def put(self, kind: str, text: str, found: FoundT) -> None:
        """Remember it; what was longest unused makes room."""
        key = self._key(kind, text)
        with self._lock:
            self._found[key] = found
            self._found.move_to_end(key)
            while len(self._found) > self._entries_max:
                self._found.popitem(last=False)

    def __len__(self) -> int:
        return len(self._found)

    def _key(self, kind: str, text: str) -> bytes:
        digest = blake2b(key=self._secret, digest_size=_KEY_BYTES, person=kind.encode()[:16])
        digest.update(text.encode("utf-8", "surrogatepass"))
        return digest.digest()
