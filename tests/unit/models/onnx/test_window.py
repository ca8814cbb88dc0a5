"""The window of an encoder: all of a text that fits, the beginning and the end of a longer one."""

from __future__ import annotations

import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace
from tokenizers.processors import TemplateProcessing

from router_extproc.models.base import NameSpan
from router_extproc.models.onnx.window import Tokens, WindowTokenizer

WORDS = [f"w{number}" for number in range(200)]
CLS, SEP, UNKNOWN = 200, 201, 202
#: Two of them are special.
WINDOW = 10


def window(*, special: bool = True, prefix: str = "", max_tokens: int = WINDOW) -> WindowTokenizer:
    vocabulary = {word: number for number, word in enumerate(WORDS)}
    vocabulary |= {"[CLS]": CLS, "[SEP]": SEP, "[UNK]": UNKNOWN}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    if special:
        tokenizer.post_processor = TemplateProcessing(
            single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
        )
    return WindowTokenizer(tokenizer, max_tokens=max_tokens, prefix=prefix)


def text_of(count: int) -> str:
    return " ".join(WORDS[:count])


def read_words(tokens: Tokens) -> list[str]:
    """Each token's characters in the text that was read."""
    return [tokens.text[start:end] for start, end in tokens.offsets if end > start]


def test_a_text_that_fits_is_read_whole() -> None:
    tokens = window().read_both_ends(text_of(8))
    assert list(tokens.ids) == [CLS, *range(8), SEP]
    assert (tokens.count, tokens.truncated, tokens.gap) == (8, False, None)


@pytest.mark.parametrize("count", [9, 10, 50, 200])
def test_of_a_longer_text_both_ends_are_read(count: int) -> None:
    tokens = window().read_both_ends(text_of(count))
    assert list(tokens.ids) == [CLS, 0, 1, 2, 3, *range(count - 4, count), SEP]
    assert (tokens.count, tokens.truncated) == (8, True)
    assert read_words(tokens) == [*WORDS[:4], *WORDS[count - 4 : count]]


def test_without_special_tokens_the_whole_window_is_text() -> None:
    tokens = window(special=False).read_both_ends(text_of(50))
    assert list(tokens.ids) == [*range(5), *range(45, 50)]


@pytest.mark.parametrize("count", [9, 50, 200])
def test_names_are_told_at_their_place_in_the_whole_text(count: int) -> None:
    text, tokens = text_of(count), window().read_both_ends(text_of(count))
    assert tokens.gap is not None
    for start, end in tokens.offsets:
        placed = tokens.gap.place(NameSpan(start, end, "PERSON", 1.0))
        assert text[placed.start : placed.end] == tokens.text[start:end]


def test_a_name_never_goes_over_the_gap() -> None:
    tokens = window().read_both_ends(text_of(50))
    assert tokens.gap is not None
    placed = tokens.gap.place(NameSpan(9, len(tokens.text), "PERSON", 1.0))
    assert text_of(50)[placed.start : placed.end] == "w3"


@pytest.mark.parametrize(
    "text",
    [
        "w1 " * 9 + " " * 5000,
        " " * 5000 + "w1 " * 9,
        "w1" * 5000,
        "\ud800 " * 50,
        "w1 " + "x" * 9000,
        " " * 9000,
    ],
)
def test_any_text_is_read(text: str) -> None:
    tokens = window().read_both_ends(text)
    assert len(tokens.ids) == len(tokens.offsets) <= WINDOW
    assert tokens.count == len(tokens.ids) - 2


def test_unknown_words_of_the_end_count() -> None:
    assert window().read_both_ends(text_of(20) + " what is this?").unknown == 4


def test_an_encoder_with_a_prefix_reads_the_beginning() -> None:
    tokens = window(prefix="w9 ").read_both_ends(text_of(50))
    assert list(tokens.ids) == [CLS, 9, *range(7), SEP]


def test_the_verifier_reads_the_beginning_only() -> None:
    assert list(window().read(text_of(50)).ids) == [CLS, *range(8), SEP]
