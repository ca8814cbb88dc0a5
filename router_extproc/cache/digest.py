"""Hashes several fields into one hex digest.

Each field is hashed behind its length, so that two different sequences of fields are always two different
byte strings. `key.py` and `scope.py` choose the fields.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

#: 256 bits: nobody finds two requests with one digest.
DIGEST_BYTES = 32
#: Hex digits of a digest.
DIGEST_CHARS = 2 * DIGEST_BYTES
_LENGTH_BYTES = 8


def digest(purpose: bytes, fields: Iterable[bytes]) -> str:
    """Hex digest of the fields in their order.

    purpose: at most 16 bytes; digests of different purposes never meet.
    """
    state = hashlib.blake2b(digest_size=DIGEST_BYTES, person=purpose)
    for value in fields:
        state.update(len(value).to_bytes(_LENGTH_BYTES))
        state.update(value)
    return state.hexdigest()


def text(value: str) -> bytes:
    """The field of a text; lone surrogates, which JSON may carry, have bytes of their own."""
    return value.encode("utf-8", "surrogatepass")
