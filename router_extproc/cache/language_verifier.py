"""Verification by language: English questions go on to a verifier of English, others are compared here.

No inference: a candidate in another language costs what reading both texts costs.
"""

from __future__ import annotations

from typing import Final

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.languages import Languages
from router_extproc.models.base import Verdict, Verifier


class LanguageVerifier:
    """Fits models.base.Verifier."""

    def __init__(self, languages: Languages, english: Verifier) -> None:
        """`english`: judges pairs of English questions."""
        self._languages: Final = languages
        self._english: Final = english

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """See Verifier."""
        if cached == asked or max(len(cached), len(asked)) > QUESTION_CHARS_MAX:
            return self._english.verify(cached, asked, similarity)
        matching = self._languages.compare(read_question(cached), read_question(asked))
        if matching is None:
            return self._english.verify(cached, asked, similarity)
        if matching.is_same:
            return Verdict(accepted=True, score=1.0, reason="ok")
        return Verdict(accepted=False, score=0.0, reason=matching.reason)
