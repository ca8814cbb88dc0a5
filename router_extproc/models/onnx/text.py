"""Makes any text safe and short enough for a tokenizer.

It is not a tokenizer. The rule it keeps: whatever a client writes, the tokenizer gets valid
Unicode of bounded length.
"""

from __future__ import annotations

#: Characters read for each token of the window. English has 4 to 5 a token, base64 and long
#: unknown words fewer tokens; past this the text counts as truncated.
CHARS_PER_TOKEN_MAX = 16


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
