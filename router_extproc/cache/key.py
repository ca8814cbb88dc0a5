"""The two keys of an entry: its fingerprint (the whole request) and its partition (all but the prompt).

Whatever could change an answer's meaning is in the key, so different requests never meet by accident or by
a client's clever choice of delimiters. Both keys are made from one digest of the request's context, so a
long conversation is hashed once, however many scopes and decisions come into question.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, NewType

from router_extproc.cache.base import Fingerprint, Partition, Scope
from router_extproc.cache.digest import digest, text
from router_extproc.cache.ignore import NOTHING, IgnoreRule
from router_extproc.llm.request import InferenceRequest

#: Digest of all that a request says beside its prompt (hex); scope and decision are no part of it.
ContextDigest = NewType("ContextDigest", str)

#: Raised with every change of what is in a key: entries under keys of an older form are never found again.
_CONTEXT = b"rx-context-2"
_FINGERPRINT = b"rx-fingerprint-3"
_PIECE = b"rx-piece-1"
_PARTITION = b"rx-partition-3"
_FALLBACK = b"rx-fallback-2"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What reaches the pool beside the body, and may change its answer."""

    #: Of the path, without its "?".
    query: str = ""
    #: Name and value of every header that a pool's `vary` has named, in a fixed order; "": it is absent.
    headers: tuple[tuple[str, str], ...] = ()


_BODY_ALONE: Final = Delivery()


def context_digest(
    request: InferenceRequest, delivery: Delivery = _BODY_ALONE, ignore: IgnoreRule = NOTHING
) -> ContextDigest:
    """What both keys of the request have in common: its dialect, model, system prompt, turns, parameters.

    ignore: what is left out of the system prompt.
    """
    return ContextDigest(digest(_CONTEXT, _context_fields(request, delivery, ignore)))


def fingerprint(
    scope: Scope, context: ContextDigest, prompt: str, *, routing_facts: Sequence[tuple[str, str]] = ()
) -> Fingerprint:
    """The key of exactly this request; known before any inference, so the decision is no part of it.

    routing_facts: what signals read in headers and of the time, by their names and in a fixed order: with
    them, equal fingerprints get equal decisions.
    """
    return Fingerprint(digest(_FINGERPRINT, _fields(scope, context, prompt, routing_facts)))


def piece_fingerprint(
    scope: Scope, context: ContextDigest, piece: str, *, routing_facts: Sequence[tuple[str, str]] = ()
) -> Fingerprint:
    """The key of one piece of a request, whatever stands beside it; so equal ones may get other decisions."""
    return Fingerprint(digest(_PIECE, _fields(scope, context, piece, routing_facts)))


def fallback_fingerprint(of: Fingerprint, model: str) -> Fingerprint:
    """The key of the same request while `model` answers it in the place of the one that was meant."""
    return Fingerprint(digest(_FALLBACK, (text(of), text(model))))


def partition(
    scope: Scope, context: ContextDigest, *, decision: str, answerer: str, encoder: str
) -> Partition:
    """Inside it, only the prompts differ, and all vectors are of one encoder.

    answerer: digest of the model that answers, by its served name and cluster, and of what is changed in the
    request on its way there. encoder: `Encoder.identity`.
    """
    fields = (scope, context, decision, answerer, encoder)
    return Partition(digest(_PARTITION, map(text, fields)))


def _fields(
    scope: Scope, context: ContextDigest, asked: str, facts: Sequence[tuple[str, str]]
) -> tuple[bytes, ...]:
    told = map(text, chain.from_iterable(facts))
    return (text(scope), text(context), b"%d" % len(facts), *told, text(asked))


def _context_fields(request: InferenceRequest, delivery: Delivery, ignore: IgnoreRule) -> Iterator[bytes]:
    yield text(request.dialect)
    yield text(request.model)
    yield b"last" if request.prompt_is_last else b"inner"
    yield b"%d" % len(request.context)
    for member in request.context:
        yield text(member.name)
        yield member.value
    yield b"%d" % len(request.system_texts)
    yield from ignore.fields(request.system_texts)
    yield text(delivery.query)
    yield b"%d" % len(delivery.headers)
    yield from map(text, chain.from_iterable(delivery.headers))
