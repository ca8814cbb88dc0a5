"""Abbreviations that a text explains are left out, and nothing else in brackets is."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.equivalence.glosses import LETTERS_MAX, drop_glosses
from router_extproc.equivalence.written import is_same_text


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("Is a high body mass index (BMI) a risk?", "Is a high body mass index a risk?"),
        ("Is a high BMI (body mass index) a risk?", "Is a high body mass index a risk?"),
        ("What do NGOs (non governmental organisations) do?", "What do non governmental organisations do?"),
        ("Which central processing units (CPUs) fit?", "Which central processing units fit?"),
        (
            "the application programming interface's (API's) keys",
            "the application programming interface's keys",
        ),
        ("Who runs the Bank of England (BoE)?", "Who runs the Bank of England?"),
        ("Is the Department of Trade [DT] large?", "Is the Department of Trade large?"),
        ("a continuous-integration server (CIS)", "a continuous-integration server"),
        (
            "CI (continuous integration) and CD (continuous delivery)",
            "continuous integration and continuous delivery",
        ),
    ],
)
def test_words_that_an_abbreviation_repeats_are_said_once(text: str, without: str) -> None:
    assert drop_glosses(text) == without


@pytest.mark.parametrize(
    "text",
    [
        "Is it safe (in children)?",
        "How do I treat a cold (COPD)?",
        "Is vitamin C (C) safe?",
        "body mass index (bmi)",
        "my body mass is high (BMI)",
        "body mass index or weight (BMI)",
        "BMI (body mass index of adults)",
        "(BMI) a body mass index",
        "f(AB) = (ab)",
        "SUM(a) (b c)",
        "xBMI (body mass index)",
        "a b c d e f g h i (ABCDEFGHI)",
        "((BMI",
        "",
    ],
)
def test_what_is_no_explanation_stays(text: str) -> None:
    assert drop_glosses(text) == text


def test_an_abbreviation_has_a_longest_length() -> None:
    words = "a b c d e f g h"
    assert drop_glosses(f"{words} (ABCDEFGH)") == words
    assert len("ABCDEFGH") == LETTERS_MAX


def test_who_explains_an_abbreviation_asks_the_same() -> None:
    plain = read_question("Can a high blood urea nitrogen harm me?")
    assert is_same_text(read_question("Can a high blood urea nitrogen (BUN) harm me?"), plain)
    assert not is_same_text(read_question("Can a high blood urea nitrogen (LDH) harm me?"), plain)
