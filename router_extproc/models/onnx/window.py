"""A text as the encoder reads it: tokens that fit into its window.

Of a longer text an encoder reads the beginning and the end: a question comes before what is pasted with it,
or after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Final

from tokenizers import Encoding as Encoded
from tokenizers import Tokenizer

from router_extproc.models.base import NameSpan
from router_extproc.models.onnx.text import CHARS_PER_TOKEN_MAX, cut_text, replace_surrogates

#: Share of the window for the end of a longer text.
TAIL_SHARE: Final = 0.5
#: Between the beginning and the end in the text that was read.
_BETWEEN: Final = "\n"


@dataclass(frozen=True, slots=True)
class Gap:
    """What was left out of a text that is longer than the window."""

    #: Where the beginning ends in the text that was read; the end follows _BETWEEN.
    at: int
    #: How much further on the end is in the whole text.
    chars: int

    def place(self, span: NameSpan) -> NameSpan:
        """A span of what was read at its place in the whole text; none goes over the gap."""
        if span.start > self.at:
            return replace(span, start=span.start + self.chars, end=span.end + self.chars)
        return replace(span, end=min(span.end, self.at))


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text as the encoder reads it."""

    ids: Sequence[int]
    #: The characters of each token in the text; special tokens have none.
    offsets: Sequence[tuple[int, int]]
    #: The text that was read, with lone surrogates replaced.
    text: str
    #: Without the special tokens.
    count: int
    unknown: int
    truncated: bool
    #: None: only the beginning was read, or all of it.
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class _Run:
    """Tokens in a row without special ones, and where they stand in a text."""

    ids: list[int]
    offsets: list[tuple[int, int]]

    @property
    def start(self) -> int:
        return self.offsets[0][0]

    @property
    def end(self) -> int:
        return self.offsets[-1][1] if self.offsets else 0

    def moved(self, chars: int) -> list[tuple[int, int]]:
        """The offsets, so many characters further on."""
        return [(start + chars, end + chars) for start, end in self.offsets]


class WindowTokenizer:
    """A tokenizer that never gives more than the window, says so, and never fails."""

    def __init__(self, tokenizer: Tokenizer, *, max_tokens: int, prefix: str = "") -> None:
        """Takes the tokenizer over: its padding, truncation and reading of special tokens change."""
        tokenizer.no_padding()
        tokenizer.enable_truncation(max_tokens)
        # "[SEP]" written by a client is five characters, not the end of the text.
        tokenizer.encode_special_tokens = True
        self._tokenizer = tokenizer
        self._max_tokens = max_tokens
        self._prefix = prefix
        self._special_tokens = tokenizer.num_special_tokens_to_add(is_pair=False)
        unknown = getattr(tokenizer.model, "unk_token", None)
        self._unknown_id = tokenizer.token_to_id(unknown) if unknown else None

    def read(self, text: str) -> Tokens:
        """The tokens of the beginning that fits."""
        start, cut = cut_text(text, max_tokens=self._max_tokens)
        encoded = self._tokenizer.encode(self._prefix + start)
        return self._tokens(encoded.ids, encoded.offsets, start, truncated=cut or bool(encoded.overflowing))

    def read_both_ends(self, text: str) -> Tokens:
        """All tokens of a text that fits; of a longer one, those of its beginning and of its end."""
        whole, room = self.read(text), self._max_tokens - self._special_tokens
        # An encoder with a prefix wants it at the beginning, where it takes its share of the room.
        count = 0 if self._prefix else int(room * TAIL_SHARE)
        if not whole.truncated or not count:
            return whole
        end = replace_surrogates(text[-count * CHARS_PER_TOKEN_MAX :])
        tail = _last(self._tokenizer.encode(end), count)
        return self._join(whole, text, end, tail) if tail.ids else whole

    def _join(self, whole: Tokens, text: str, end: str, tail: _Run) -> Tokens:
        encoded = self._tokenizer.encode(whole.text)
        head = _first(encoded, self._max_tokens - self._special_tokens - len(tail.ids))
        begin = sum(1 for _ in takewhile(bool, encoded.special_tokens_mask))
        before, after = encoded.ids[:begin], encoded.ids[begin + _plain_count(encoded) :]
        at = head.end
        joined = whole.text[:at] + _BETWEEN + end[tail.start : tail.end]
        skipped = len(text) - len(end) + tail.start - at - len(_BETWEEN)
        moved = tail.moved(at + len(_BETWEEN) - tail.start)
        none = (0, 0)
        offsets = [*[none] * len(before), *head.offsets, *moved, *[none] * len(after)]
        tokens = self._tokens([*before, *head.ids, *tail.ids, *after], offsets, joined, truncated=True)
        return replace(tokens, gap=Gap(at, skipped))

    def _tokens(
        self, ids: Sequence[int], offsets: Sequence[tuple[int, int]], text: str, *, truncated: bool
    ) -> Tokens:
        unknown = 0 if self._unknown_id is None else list(ids).count(self._unknown_id)
        return Tokens(ids, offsets, text, len(ids) - self._special_tokens, unknown, truncated)


def _plain_count(encoded: Encoded) -> int:
    return sum(not special for special in encoded.special_tokens_mask)


def _first(encoded: Encoded, count: int) -> _Run:
    return _run([encoded], slice(count))


def _last(encoded: Encoded, count: int) -> _Run:
    """The last tokens, those that did not fit into the window included."""
    return _run([encoded, *encoded.overflowing], slice(-count, None))


def _run(pieces: Sequence[Encoded], part: slice) -> _Run:
    plain = [
        (token, offsets)
        for piece in pieces
        for token, offsets, special in zip(piece.ids, piece.offsets, piece.special_tokens_mask, strict=True)
        if not special
    ][part]
    return _Run([token for token, _ in plain], [offsets for _, offsets in plain])
