"""The two keys of an entry: its fingerprint (the whole request) and its partition (all but the prompt).

Everything that could change an answer's meaning is in the key, so that different requests never collide, by
accident or by a client's choice of delimiters. Credentials arrive here as digests (`scope.py`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.cache.digest import digest, text
from router_extproc.llm.request import InferenceRequest

_FINGERPRINT = b"rx-fingerprint-1"
_PARTITION = b"rx-partition-1"
_FALLBACK = b"rx-fallback-1"


def fingerprint(
    scope: Scope, request: InferenceRequest, *, routing_facts: Sequence[tuple[str, str]] = ()
) -> Fingerprint:
    """The key of exactly this request; known before any inference, so the decision is no part of it.

    routing_facts: name and value of every header that a header signal reads, in a fixed order: with
    them, equal fingerprints get equal decisions.
    """
    return Fingerprint(
        digest(_FINGERPRINT, (*_shared_fields(scope, request), *_facts(routing_facts), text(request.prompt)))
    )


def fallback_fingerprint(of: Fingerprint, model: str) -> Fingerprint:
    """The key of the same request while `model` answers it in the place of the one that was meant."""
    return Fingerprint(digest(_FALLBACK, (text(of), text(model))))


def partition(scope: Scope, request: InferenceRequest, *, decision: str, encoder: str) -> Partition:
    """Inside it, only the prompts differ, and all vectors are of one encoder.

    encoder: `Encoder.identity`.
    """
    return Partition(digest(_PARTITION, (*_shared_fields(scope, request), text(decision), text(encoder))))


def _shared_fields(scope: Scope, request: InferenceRequest) -> Iterator[bytes]:
    yield text(scope)
    yield text(request.dialect)
    yield text(request.model)
    yield b"last" if request.prompt_is_last else b"inner"
    yield b"%d" % len(request.context)
    for member in request.context:
        yield text(member.name)
        yield member.value


def _facts(routing_facts: Sequence[tuple[str, str]]) -> Iterator[bytes]:
    yield b"%d" % len(routing_facts)
    for name, value in routing_facts:
        yield text(name)
        yield text(value)
