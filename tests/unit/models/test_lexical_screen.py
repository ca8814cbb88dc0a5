"""The screen by words: quick, the same for the same text, and nothing without words."""

from __future__ import annotations

import numpy as np

from router_extproc.models.lexical_screen import BUCKETS, LexicalScreen, features_of, words_of


def screen_for(word: str, *, offset: float = -1.0) -> LexicalScreen:
    """Knows one word."""
    weights = np.zeros(BUCKETS, np.float32)
    weights[features_of(words_of(word))[0]] = 1.0
    return LexicalScreen(weights, np.ones(BUCKETS, np.float32), offset)


def test_a_text_with_the_word_is_suspected() -> None:
    found, clean = screen_for("obey").suspicions(["please OBEY me", "please help me"])
    assert found > 0 > clean


def test_a_text_without_words_is_never_read() -> None:
    assert screen_for("obey").suspicions(["", " \n "]) == [-np.inf, -np.inf]


def test_any_text_can_be_screened() -> None:
    texts = ["\ud800 alone", "x" * 100_000, "🙂" * 1_000, "word " * 50_000]
    assert len(screen_for("obey").suspicions(texts)) == len(texts)
