"""Verification: may the answer to the cached question be given to the asked one?

It is not a search. The rule it keeps: similarity proposes, a verifier disposes; a threshold alone
is never permission to answer.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

from router_extproc.equivalence import GUARDS, QUESTION_CHARS_MAX, read_question


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of one candidate."""

    accepted: bool
    #: Estimated chance in [0, 1] that the stored answer is right for the asked question.
    score: float
    #: A short word for metrics and `explain`: "ok", "numbers", "negation", ...
    reason: str


class Verifier(Protocol):
    """Compares two questions; pure, bounded in time, blocks (called in the inference executor)."""

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """The verdict on reusing the answer to `cached` for `asked`."""
        ...


#: Cosine from which the guards alone vouch for a match: on development rows of Quora pairs 0.90 of what
#: is then accepted is right (0.85 without guards at the same cosine, 0.69 at a plain cosine of 0.80).
GUARDED_SIMILARITY_MIN = 0.94
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
    return next((reason for guard in GUARDS if (reason := guard(one, other)) is not None), None)
