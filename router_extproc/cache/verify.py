"""Verification: may the answer to the cached question be given to the asked one?

It is not a search. The rule it keeps: similarity proposes, a verifier disposes; a threshold alone
is never permission to answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from router_extproc.cache.guards import GUARDS, QUESTION_CHARS_MAX, read_question


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


#: Cosine from which the guards alone vouch for a match.
GUARDED_SIMILARITY_MIN = 0.9


class GuardVerifier:
    """Accepts what no guard refuses, from a similarity on that is high enough to rely on them."""

    def __init__(self, *, similarity_min: float = GUARDED_SIMILARITY_MIN) -> None:
        """`similarity_min` comes on top of the decision's own threshold: the higher one counts."""
        self._similarity_min: Final = similarity_min

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """See Verifier."""
        reason = self._refusal(cached, asked, similarity)
        score = max(0.0, min(1.0, similarity))
        return Verdict(accepted=reason is None, score=score, reason=reason or "ok")

    def _refusal(self, cached: str, asked: str, similarity: float) -> str | None:
        if max(len(cached), len(asked)) > QUESTION_CHARS_MAX:
            return "too-long"
        if not similarity >= self._similarity_min:
            return "similarity"
        one, other = read_question(cached), read_question(asked)
        return next((reason for guard in GUARDS if (reason := guard(one, other)) is not None), None)
