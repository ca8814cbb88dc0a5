"""Makes any text safe and short enough for a tokenizer: valid Unicode of bounded length."""

from __future__ import annotations

from collections.abc import Sequence

#: Characters read for each token of the window. English has 4 to 5 a token, base64 and long
#: unknown words fewer tokens; past this the text counts as truncated.
CHARS_PER_TOKEN_MAX = 16
#: Share of the letters that must be Latin for the task layers: they learned English and guess at the rest.
LATIN_MIN = 0.5
#: Latin letters end here; those with two accents, as Vietnamese has, are between the other two.
LATIN_END, LATIN_MORE, LATIN_MORE_END = "\u0250", "\u1e00", "\u1f00"
#: A text of so many tokens, special ones included, says something when more than so many are different.
MONOTONOUS_TOKENS_MIN, MONOTONOUS_DIFFERENT_MAX = 16, 5


def is_latin(text: str) -> bool:
    """True when at least LATIN_MIN of the letters are Latin, or there are none."""
    if text.isascii():
        return True
    letters = [char for char in text if char.isalpha()]
    latin = sum(char < LATIN_END or LATIN_MORE <= char < LATIN_MORE_END for char in letters)
    return latin >= LATIN_MIN * len(letters)


def is_monotonous(ids: Sequence[int]) -> bool:
    """True when a few tokens are repeated on and on: task layers would take it for an attack."""
    return len(ids) >= MONOTONOUS_TOKENS_MIN and len(set(ids)) <= MONOTONOUS_DIFFERENT_MAX


def cut_text(text: str, *, max_tokens: int) -> tuple[str, bool]:
    """The beginning that can matter to a window of max_tokens, and whether anything was cut off."""
    max_chars = max_tokens * CHARS_PER_TOKEN_MAX
    if len(text) <= max_chars:
        return replace_surrogates(text), False
    rest_is_blank = text[max_chars:].isspace()
    return replace_surrogates(text[:max_chars]), not rest_is_blank


def replace_surrogates(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates replaced by U+FFFD."""
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
