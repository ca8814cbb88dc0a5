"""Questions as words."""

from __future__ import annotations

import pytest

from router_extproc.equivalence.words import KEPT_CHARS_MAX, QUESTION_CHARS_MAX, Question, read_question, stem


@pytest.mark.parametrize(
    "forms",
    [
        ("source", "sources"),
        ("run", "runs", "running"),
        ("stop", "stopped", "stopping"),
        ("live", "lives", "living", "lived"),
        ("box", "boxes"),
        ("city", "cities"),
        ("watch", "watches", "watching"),
        ("class", "classes"),
        ("call", "calls", "calling"),
    ],
)
def test_forms_of_one_word_share_a_stem(forms: tuple[str, ...]) -> None:
    assert len({stem(form) for form in forms}) == 1


@pytest.mark.parametrize("word", ["a", "is", "bus", "sing", "red", "glass", "bed", "the"])
def test_short_words_keep_their_shape(word: str) -> None:
    assert stem(word).startswith(word[:2])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I can't, won't and don't!", ["i", "can", "not", "will", "not", "and", "do", "not"]),
        ("It ain't so; we shan't", ["it", "is", "not", "so", "we", "shall", "not"]),
        ("France's food, what's good?", ["france", "food", "what", "good"]),
        ("sugar-free tea", ["sugar", "without", "tea"]),
        ("GPT4 costs 5$", ["gpt", "costs"]),
        ("", []),
    ],
)
def test_text_is_split_into_words(text: str, words: list[str]) -> None:
    assert list(read_question(text).words) == words


def test_first_words_of_sentences_open_them() -> None:
    question = read_question("Hello there. Where is Oslo?")
    assert [token.text for token in question.tokens if token.opens] == ["hello", "where"]


def test_text_behind_the_bound_is_not_read() -> None:
    assert len(read_question("a " * QUESTION_CHARS_MAX).words) == QUESTION_CHARS_MAX // 2


def test_a_question_that_was_read_lately_is_not_read_again() -> None:
    """A stored question is a candidate again and again; reading it costs ten times what its guards do."""
    assert read_question("How do magnets work?") is read_question("How do magnets work?")


def test_long_texts_are_not_kept() -> None:
    """What clients write bounds what is kept."""
    text = "x " * KEPT_CHARS_MAX
    assert read_question(text) is not read_question(text)


def test_what_was_read_of_a_question_is_read_once() -> None:
    question, asked = read_question("How do tides work?"), []

    def count_words(of: Question) -> int:
        asked.append(of)
        return len(of.words)

    assert (question.once(count_words), question.once(count_words)) == (4, 4)
    assert asked == [question]
