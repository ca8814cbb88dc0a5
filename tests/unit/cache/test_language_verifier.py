"""Which verifier a pair comes to is a matter of its language."""

from __future__ import annotations

from router_extproc.cache.language_verifier import LanguageVerifier
from router_extproc.equivalence import QUESTION_CHARS_MAX
from router_extproc.equivalence.languages import Languages, read_known
from router_extproc.models.base import Verdict

ENGLISH = Verdict(accepted=True, score=0.9, reason="english")


class English:
    """Accepts everything. Fits Verifier."""

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002
        return ENGLISH


VERIFIER = LanguageVerifier(Languages.of(read_known()), English())


def verdict(cached: str, asked: str) -> Verdict:
    return VERIFIER.verify(cached, asked, 0.99)


def test_english_is_judged_by_the_verifier_of_english() -> None:
    assert verdict("How do I open a file?", "What is the way to open a file?") is ENGLISH


def test_what_a_language_file_proves_harmless_is_accepted_without_it() -> None:
    assert verdict("Wo ist der Bahnhof?", "Hallo, wo ist der Bahnhof, bitte?") == Verdict(
        accepted=True, score=1.0, reason="ok"
    )


def test_all_else_in_another_language_is_refused_without_it() -> None:
    assert verdict("Ist der Bahnhof weit?", "Ist der Bahnhof nicht weit?").reason == "negation"
    assert verdict("Where is the station?", "Wo ist der Bahnhof?").reason == "language"


def test_the_same_text_and_a_text_too_long_are_for_the_verifier_itself() -> None:
    long = "é" * QUESTION_CHARS_MAX
    assert verdict("Wo ist er?", "Wo ist er?") is ENGLISH
    assert verdict(long + "a", long + "b") is ENGLISH
