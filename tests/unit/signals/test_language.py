# ruff: noqa: RUF001 - prompts as people write them
"""The language of a prompt: named where it shows, none where nothing tells."""

from __future__ import annotations

import time

import pytest

from router_extproc.signals.base import Reading
from router_extproc.signals.language import (
    EDGE_CHARS_MAX,
    LANGUAGES,
    UNKNOWN,
    LanguageSignal,
    find_language,
)
from router_extproc.testing.subjects import subject_of


@pytest.mark.parametrize(
    ("lang", "text"),
    [
        ("en", "What is the capital of Australia?"),
        ("de", "Wie heißt die Hauptstadt von Australien?"),
        ("es", "¿Cuál es la capital de Australia y cuánta gente vive allí?"),
        ("fr", "Quelle est la capitale de l'Australie ?"),
        ("ro", "Care este capitala Australiei și câți oameni trăiesc acolo?"),
        ("tr", "Avustralya'nın başkenti neresidir?"),
        ("vi", "Thủ đô của nước Úc là gì?"),
        ("sw", "Mji mkuu wa Australia ni upi na una watu wangapi?"),
        ("ru", "Какой город является столицей Австралии?"),
        ("el", "Ποια είναι η πρωτεύουσα της Αυστραλίας;"),
        ("hi", "ऑस्ट्रेलिया की राजधानी क्या है और वहाँ कितने लोग रहते हैं?"),
        ("bn", "অস্ট্রেলিয়ার রাজধানী কোনটি?"),
        ("te", "ఆస్ట్రేలియా రాజధాని ఏమిటి?"),
        ("th", "เมืองหลวงของออสเตรเลียคือเมืองอะไร"),
        ("ar", "ما هي عاصمة أستراليا وكم عدد سكانها؟"),
        ("zh", "澳大利亚的首都是哪里？"),
        ("ja", "オーストラリアの首都はどこですか。"),
    ],
)
def test_language_is_named(lang: str, text: str) -> None:
    assert find_language(text).lang == lang


@pytest.mark.parametrize("text", ["", " \n", "12 + 30 = ?", "🙂🙃", "\x00\x01", "\ud800", "٣٤"])
def test_text_without_letters_has_no_language(text: str) -> None:
    assert find_language(text) == UNKNOWN


def test_letters_that_tell_nothing_have_no_language() -> None:
    """The library answers with whatever comes first in its list."""
    assert find_language("ok") == UNKNOWN


def test_unsure_reading_keeps_its_score_and_has_no_label() -> None:
    subject = subject_of("Bonjour")
    loose, strict = (LanguageSignal("lang", score_min=bound).read(subject) for bound in (0.0, 0.9))
    assert (loose.label, strict.label) == ("fr", None)
    assert 0 < strict.score == loose.score < 0.9


def test_reading_names_its_signal() -> None:
    reading = LanguageSignal("lang").read(subject_of("Wo ist der Bahnhof?"))
    assert reading == Reading("lang", "de", reading.score)


def test_both_ends_of_a_long_text_count() -> None:
    german = "Fasse bitte den folgenden Bericht in drei kurzen Sätzen zusammen. " * 5
    noise = "0 " * 5 * EDGE_CHARS_MAX
    assert find_language(german + noise).lang == "de"
    assert find_language(noise + german).lang == "de"


def test_middle_of_a_long_text_is_not_read() -> None:
    edge = "What is the reason for this message? " * 100
    assert find_language(edge + "привет как дела сегодня " * 50_000 + edge) == find_language(edge + edge)


def test_runs_of_combining_marks_take_no_time() -> None:
    """Putting them in order takes time that grows with the square of their number."""
    started = time.perf_counter()
    find_language("a" + "\u0301\u0316" * 500_000)
    assert time.perf_counter() - started < 0.2


def test_every_language_is_a_two_letter_code() -> None:
    assert all(len(lang) == 2 for lang in LANGUAGES)
    assert len(set(LANGUAGES)) == len(LANGUAGES)
