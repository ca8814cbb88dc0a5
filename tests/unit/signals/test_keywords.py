"""Keywords match whole words, however they are written."""

from __future__ import annotations

import pytest

from router_extproc.signals.base import Reading
from router_extproc.signals.keywords import EDGE_CHARS_MAX, KeywordsSignal
from router_extproc.testing.subjects import subject_of


def label_of(prompt: str, *words: str, case_sensitive: bool = False) -> str | None:
    return KeywordsSignal("any", words, case_sensitive=case_sensitive).read(subject_of(prompt)).label


@pytest.mark.parametrize(
    ("word", "prompt"),
    [
        ("asap", "I need this ASAP!"),
        ("as soon as possible", "reply as\nsoon  as possible"),
        ("c++", "Is C++ dead?"),
        ("node.js", "use node.js."),
        ("straße", "Wo ist die STRASSE?"),
        ("café", "a cafe\u0301 nearby"),
        ("紧急", "这是紧急情况"),
        ("snake_case", "what is snake_case"),
        ("a a", "xa a a"),
    ],
)
def test_keyword_is_found(word: str, prompt: str) -> None:
    assert label_of(prompt, word) == word


@pytest.mark.parametrize(
    ("word", "prompt"),
    [
        ("cat", "the category"),
        ("cat", "concat"),
        ("cat", "cat_food"),
        ("cat", "cat9"),
        ("c++", "xc++"),
        ("as soon as", "as soonas"),
        ("a.b", "axb"),
        ("asap", ""),
    ],
)
def test_part_of_a_word_is_no_match(word: str, prompt: str) -> None:
    assert label_of(prompt, word) is None


def test_first_keyword_of_the_configuration_is_the_label() -> None:
    assert label_of("urgent, asap", "asap", "urgent") == "asap"


def test_case_counts_when_asked() -> None:
    assert label_of("who are us", "US", case_sensitive=True) is None


def test_blank_keyword_never_matches() -> None:
    assert label_of("anything at all", " ") is None


def test_both_ends_of_a_long_prompt_are_read() -> None:
    """The question often stands after a long document."""
    assert label_of("x " * EDGE_CHARS_MAX + "asap", "asap") == "asap"


def test_no_match_reads_as_nothing() -> None:
    assert KeywordsSignal("any", ("asap",)).read(subject_of("hello")) == Reading("any", None, 0.0)
