"""Which requests belong to one conversation: a digest that all of them share, without any store.

By default the conversation itself tells: who asks, and what a human asked first, which every later request
repeats. A header that names a session says it better, and so does a claim of a verified token. Whoever asks
is part of it in any case, so that no client can join another one's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.signals.claim import claims_of

#: Headers that say who asks; cookies change while a session lasts.
IDENTITY: Final = ("authorization", "x-api-key", "api-key")
#: Claims that say who vouches for whom: two issuers may say the same of different clients.
CLAIM_IDENTITY: Final = ("iss", "sub")
#: Characters of a header, a claim and the first message that count.
CHARS_MAX: Final = 2048
DIGEST_BYTES: Final = 16
_SESSION: Final = b"rx-session-2"
_THREAD: Final = b"rx-thread-2"
_CLIENT: Final = b"rx-client-1"


@dataclass(frozen=True, slots=True)
class SessionNames:
    """Who names a session beside the conversation itself."""

    #: Headers, in lower case; the first that a request has counts.
    headers: tuple[str, ...] = ()
    #: A claim of a verified token; None: none does.
    claim: str | None = None
    #: In which its payload is, in lower case.
    claim_header: str = "x-jwt-payload"

    def __bool__(self) -> bool:
        return bool(self.headers) or self.claim is not None


NO_NAMES: Final = SessionNames()


def conversation_of(parsed: ParsedRequest, names: SessionNames = NO_NAMES) -> bytes:
    """The digest."""
    claimed = _claimed(parsed, names)
    who = claimed or _credentials(parsed)
    return _digest(_SESSION, [*who, *_begun(parsed, names, is_claimed=bool(claimed))])


def client_of(parsed: ParsedRequest, names: SessionNames = NO_NAMES) -> str:
    """Who asks, whatever the session, as a digest in hexadecimal: all without a credential are one."""
    kind, _, *who = _claimed(parsed, names) or ("", "")
    return _digest(_CLIENT, [kind, *who] if kind else _credentials(parsed)).hex()


def thread_of(conversation: bytes, parsed: ParsedRequest) -> bytes:
    """The digest of a thread: the session that a name tells, and how the thread begins."""
    return _digest(_THREAD, [conversation.hex(), first_message(parsed.request)])


def first_message(request: InferenceRequest) -> str:
    """What a human, or a client, said first."""
    return next((turn.text for turn in request.history if turn.role == "user"), request.prompt)


def _credentials(parsed: ParsedRequest) -> list[str]:
    return ["credentials", *(parsed.headers.get(name, "") for name in IDENTITY)]


def _claimed(parsed: ParsedRequest, names: SessionNames) -> list[str]:
    """Who asks by a verified token, which is renewed while a session lasts; nothing: it has no such claim."""
    if names.claim is None:
        return []
    wanted = (names.claim, *CLAIM_IDENTITY)
    named, *who = claims_of(parsed.headers.get(names.claim_header, ""), wanted)
    return ["claim", *("\0".join(values) for values in (named, *who))] if named else []


def _begun(parsed: ParsedRequest, names: SessionNames, *, is_claimed: bool) -> Iterator[str]:
    """What tells this session from others of the same client."""
    named = next((name for name in names.headers if parsed.headers.get(name)), None)
    if named is not None:
        yield f"{named}\0{parsed.headers[named]}"
    elif not is_claimed:
        yield first_message(parsed.request)


def _digest(purpose: bytes, texts: Sequence[str]) -> bytes:
    digest = blake2b(digest_size=DIGEST_BYTES, person=purpose)
    for text in texts:
        part = text[:CHARS_MAX].encode("utf-8", "surrogatepass")
        digest.update(len(part).to_bytes(4) + part)
    return digest.digest()
