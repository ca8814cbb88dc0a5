"""Features for the verifier beside its net: how alike the words of two questions are.

Always the same numbers for the same two questions, in the order of EVIDENCE.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from router_extproc.equivalence import GUARDS, Question

#: Differences counted up to here; more say nothing more.
DIFFERENCES_MAX = 4


def _shared(one: frozenset[str], other: frozenset[str], whole: int) -> float:
    return len(one & other) / max(1, whole)


def _union_share(one: Question, other: Question) -> float:
    first, second = one.content_set, other.content_set
    return _shared(first, second, len(first | second))


def _smaller_share(one: Question, other: Question) -> float:
    first, second = one.content_set, other.content_set
    return _shared(first, second, min(len(first), len(second)))


def _words_share(one: Question, other: Question) -> float:
    first, second = one.word_set, other.word_set
    return _shared(first, second, len(first | second))


def _only_cached(one: Question, other: Question) -> float:
    return float(min(DIFFERENCES_MAX, len(one.content_set - other.content_set)))


def _only_asked(one: Question, other: Question) -> float:
    return _only_cached(other, one)


def _lengths(one: Question, other: Question) -> float:
    return abs(math.log((1 + len(one.words)) / (1 + len(other.words))))


def _objections(one: Question, other: Question) -> float:
    return float(sum(guard(one, other) is not None for guard in GUARDS))


#: The one that takes longest to read.
OBJECTIONS = "guards that object"
#: What is read of two questions, by name.
EVIDENCE: Mapping[str, Callable[[Question, Question], float]] = {
    "content words in common": _union_share,
    "content words of the shorter": _smaller_share,
    "words in common": _words_share,
    "only in the cached": _only_cached,
    "only in the asked": _only_asked,
    "ratio of lengths": _lengths,
    OBJECTIONS: _objections,
}


def read_evidence(cached: Question, asked: Question, *, objections: int | None = None) -> NDArray[np.float64]:
    """One number for each entry of EVIDENCE, float64[len(EVIDENCE)].

    objections: how many of GUARDS object, where the caller has asked them.
    """
    known = {} if objections is None else {OBJECTIONS: float(objections)}
    return np.array(
        [known[name] if name in known else read(cached, asked) for name, read in EVIDENCE.items()]
    )
