"""Verification: may the answer to the cached question be given to the asked one?

It is not a search. The rule it keeps: similarity proposes, a verifier disposes; a threshold alone
is never permission to answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


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
