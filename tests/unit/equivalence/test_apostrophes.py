"""What stands behind an apostrophe is part of the question, unless it is an ending of English."""

from __future__ import annotations

import pytest

from router_extproc.equivalence import read_question
from router_extproc.equivalence.written import is_same_text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Où est l'entrée ?", "Où est l'église ?"),
        ("Dov'è l'acqua?", "Dov'è l'aria?"),
        ("Who is O'Brien?", "Who is O'Neill?"),
        ("İstanbul'da uçak var mı", "İstanbul'dan uçak var mı"),
    ],
)
def test_words_behind_an_apostrophe_are_compared(one: str, other: str) -> None:
    assert not is_same_text(read_question(one), read_question(other))


@pytest.mark.parametrize(
    ("one", "other"), [("What's new in Berlin?", "what’s new in berlin"), ("I'm ill", "i'm ill")]
)
def test_english_endings_are_no_words(one: str, other: str) -> None:
    assert is_same_text(read_question(one), read_question(other))
    assert read_question("Berlin's we'll").words == ("berlin", "we")
