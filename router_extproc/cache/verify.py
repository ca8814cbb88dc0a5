"""Verification: may the answer to the cached question be given to the asked one?

Similarity only finds candidates; a verifier accepts one. A threshold alone never permits an answer.
"""

from __future__ import annotations

import math
from typing import Final

from router_extproc.equivalence import (
    GRAMMAR_GUARDS,
    GUARDED_SIMILARITY_MIN,
    GUARDS,
    QUESTION_CHARS_MAX,
    read_question,
)
from router_extproc.equivalence.narrowing import same_breadth
from router_extproc.models.base import Verdict

#: Chance that a match is right by its cosine, once no guard refuses it: a logistic fit on those rows.
_CHANCE_SLOPE, _CHANCE_OFFSET = 10.65, -8.39
#: A guard refused: the chance is at most this share of it.
_REFUSED_SHARE = 0.5


class GuardVerifier:
    """Accepts what no guard refuses, from a similarity on that is high enough to rely on them."""

    def __init__(self, *, similarity_min: float = GUARDED_SIMILARITY_MIN) -> None:
        """`similarity_min` comes on top of the decision's own threshold: the higher one counts."""
        self._similarity_min: Final = similarity_min

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """See Verifier."""
        if cached == asked:
            return Verdict(accepted=True, score=1.0, reason="ok")
        chance = _chance(similarity)
        refusal = _refusal(cached, asked)
        if refusal is not None:
            return Verdict(accepted=False, score=_REFUSED_SHARE * chance, reason=refusal)
        if not similarity >= self._similarity_min:
            return Verdict(accepted=False, score=chance, reason="similarity")
        return Verdict(accepted=True, score=chance, reason="ok")


def _chance(similarity: float) -> float:
    # Out of [-1, 1], and not a number, only for vectors that were broken on their way.
    bounded = similarity if -1.0 <= similarity <= 1.0 else -1.0
    return 1.0 / (1.0 + math.exp(-(_CHANCE_SLOPE * bounded + _CHANCE_OFFSET)))


def _refusal(cached: str, asked: str) -> str | None:
    if max(len(cached), len(asked)) > QUESTION_CHARS_MAX:
        return "too-long"
    one, other = read_question(cached), read_question(asked)
    return next(
        (
            reason
            for guard in (*GUARDS, *GRAMMAR_GUARDS, same_breadth)
            if (reason := guard(one, other)) is not None
        ),
        None,
    )
