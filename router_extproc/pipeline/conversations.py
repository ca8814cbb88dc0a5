"""Which requests belong to one conversation: a digest that all of them share, without any store.

By default the conversation itself tells: who asks, and what a human asked first, which every later request
repeats. A header that names a session says it better. Whoever asks is part of it either way, so that no
client can join another one's.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from router_extproc.pipeline.parsed_request import ParsedRequest

#: Headers that say who asks; cookies change while a session lasts.
IDENTITY: Final = ("authorization", "x-api-key", "api-key")
#: Characters of a header, and of the first message, that count.
CHARS_MAX: Final = 2048
DIGEST_BYTES: Final = 16
_PURPOSE: Final = b"rx-session-1"


def conversation_of(parsed: ParsedRequest, headers: Sequence[str] = ()) -> bytes:
    """The digest; `headers`: names in lower case of those that name a session; the first one sent counts."""
    named = next((name for name in headers if parsed.headers.get(name)), None)
    begun = f"{named}\0{parsed.headers[named]}" if named is not None else _first_message(parsed)
    digest = blake2b(digest_size=DIGEST_BYTES, person=_PURPOSE)
    for text in (*(parsed.headers.get(name, "") for name in IDENTITY), begun):
        part = text[:CHARS_MAX].encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(4) + part)
    return digest.digest()


def _first_message(parsed: ParsedRequest) -> str:
    request = parsed.request
    return next((turn.text for turn in request.history if turn.role == "user"), request.prompt)
