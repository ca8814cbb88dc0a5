"""The two keys of an entry: its fingerprint (the whole request) and its partition (all but the prompt).

Whatever could change an answer's meaning is in the key, so different requests never meet by accident or by
a client's clever choice of delimiters. Both keys are made from one digest of the request's context, so a
long conversation is hashed once, however many scopes and decisions come into question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import NewType

from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.cache.digest import digest, text
from router_extproc.llm.request import InferenceRequest

#: Digest of all that a request says beside its prompt (hex); scope and decision are no part of it.
ContextDigest = NewType("ContextDigest", str)

_CONTEXT = b"rx-context-1"
_FINGERPRINT = b"rx-fingerprint-2"
_PARTITION = b"rx-partition-2"
_FALLBACK = b"rx-fallback-1"


def context_digest(request: InferenceRequest) -> ContextDigest:
    """What both keys of the request have in common: its dialect, model, system prompt, turns, parameters."""
    return ContextDigest(digest(_CONTEXT, _context_fields(request)))


def fingerprint(
    scope: Scope, context: ContextDigest, prompt: str, *, routing_facts: Sequence[tuple[str, str]] = ()
) -> Fingerprint:
    """The key of exactly this request; known before any inference, so the decision is no part of it.

    routing_facts: name and value of every header that a header signal reads, in a fixed order: with
    them, equal fingerprints get equal decisions.
    """
    facts = map(text, chain.from_iterable(routing_facts))
    fields = (text(scope), text(context), b"%d" % len(routing_facts), *facts, text(prompt))
    return Fingerprint(digest(_FINGERPRINT, fields))


def fallback_fingerprint(of: Fingerprint, model: str) -> Fingerprint:
    """The key of the same request while `model` answers it in the place of the one that was meant."""
    return Fingerprint(digest(_FALLBACK, (text(of), text(model))))


def partition(scope: Scope, context: ContextDigest, *, decision: str, encoder: str) -> Partition:
    """Inside it, only the prompts differ, and all vectors are of one encoder.

    encoder: `Encoder.identity`.
    """
    return Partition(digest(_PARTITION, (text(scope), text(context), text(decision), text(encoder))))


def _context_fields(request: InferenceRequest) -> Iterator[bytes]:
    yield text(request.dialect)
    yield text(request.model)
    yield b"last" if request.prompt_is_last else b"inner"
    yield b"%d" % len(request.context)
    for member in request.context:
        yield text(member.name)
        yield member.value
