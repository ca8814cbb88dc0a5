"""Whatever a client writes, the tokenizer gets valid Unicode of bounded length."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from router_extproc.models.onnx.text import (
    CHARS_PER_TOKEN_MAX,
    cut_text,
    is_monotonous,
    replace_surrogates,
)

LIMIT = 8 * CHARS_PER_TOKEN_MAX


def test_short_text_stays_as_it_is() -> None:
    assert cut_text("Grüße 🙂", max_tokens=8) == ("Grüße 🙂", False)


def test_text_at_the_limit_is_not_cut() -> None:
    assert cut_text("x" * LIMIT, max_tokens=8) == ("x" * LIMIT, False)


def test_text_over_the_limit_is_cut_and_says_so() -> None:
    assert cut_text("x" * (LIMIT + 1), max_tokens=8) == ("x" * LIMIT, True)


def test_white_space_at_the_end_is_no_loss() -> None:
    """A prompt with a long blank tail is still a whole question to the cache."""
    assert cut_text("x" * LIMIT + " \n" * 1000, max_tokens=8) == ("x" * LIMIT, False)


def test_a_few_tokens_on_and_on_say_nothing() -> None:
    few = [101, *[7, 8, 9] * 5, 102]
    assert is_monotonous(few)
    assert not is_monotonous([*few, 10])
    assert not is_monotonous([101, *[7] * 13, 102])


def test_lone_surrogate_is_replaced() -> None:
    assert replace_surrogates("a\ud800b") == "a�b"


def test_short_text_is_made_valid_too() -> None:
    assert cut_text("\ud800", max_tokens=8) == ("\ufffd", False)


def test_surrogate_pair_is_joined() -> None:
    assert replace_surrogates("\ud83d\ude00") == "😀"


@given(st.text(alphabet=st.characters(codec=None, categories=["Cs", "L", "S"]), max_size=300))
def test_any_text_becomes_encodable_and_short(text: str) -> None:
    cut, _ = cut_text(text, max_tokens=8)
    assert len(cut.encode()) <= 4 * LIMIT
