"""How an answer is stored, and found again: as a whole, or what it says to each piece of its request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router_extproc.cache.base import Fingerprint, Partition
from router_extproc.cache.results import Hit
from router_extproc.dialects.base import Dialect, PieceAnswers
from router_extproc.llm.answer import Answer, AnswerFacts, Incomplete
from router_extproc.llm.request import InferenceRequest
from router_extproc.llm.stored import NO_HEADERS, decode_document, decode_headers, encode_answer
from router_extproc.pipeline.token import StorePlan


@dataclass(frozen=True, slots=True)
class Part:
    """One coming entry."""

    fingerprint: Fingerprint
    partition: Partition
    encoded: bytes


@dataclass(frozen=True, slots=True)
class Parts:
    """An answer as it is to be stored."""

    #: Incomplete: it is no whole answer to its request.
    facts: AnswerFacts | Incomplete
    each: Sequence[Part] = ()


def parts_of(
    plan: StorePlan, answer: Answer | Incomplete, told: Mapping[str, str], api: PieceAnswers | None
) -> Parts:
    """The coming entries of an answer to the plan's request.

    told: headers that a replay repeats. api: of the answer's dialect.
    """
    if isinstance(answer, Incomplete):
        return Parts(answer)
    parts = _split(plan, answer, told, api)
    return Parts(parts) if isinstance(parts, Incomplete) else Parts(answer.facts, parts)


def _split(
    plan: StorePlan, answer: Answer, told: Mapping[str, str], api: PieceAnswers | None
) -> Sequence[Part] | Incomplete:
    if api is not None and plan.answers and api.count(answer) != plan.answers:
        return Incomplete("malformed")
    pieces = plan.pieces
    split = None if api is None or pieces is None else api.split(answer, pieces.sizes)
    if isinstance(split, Incomplete):
        return split
    if split is None or pieces is None:
        return (Part(plan.fingerprint, plan.partition, encode_answer(answer, told)),)
    places = zip(pieces.fingerprints, split, strict=True)
    return [Part(key, pieces.partition, encode_answer(each, told)) for key, each in places]


def stored_answer(hit: Hit, dialect: Dialect, request: InferenceRequest) -> tuple[Answer, Mapping[str, str]]:
    """The answer that a hit has for the request, and the headers that were stored with it.

    Raises:
        ValueError: what is stored cannot be read.
    """
    stored = [entry.answer for entry in hit.pieces or (hit.entry,)]
    answers = [dialect.restore(decode_document(each)) for each in stored]
    headers = [decode_headers(each) for each in stored]
    # Pieces whose pool once answered a page and once somebody else say nothing of pages.
    told = headers[0] if all(each == headers[0] for each in headers) else NO_HEADERS
    if not hit.pieces or dialect.pieces is None:
        return answers[0], told
    return dialect.pieces.join(answers, request), told
