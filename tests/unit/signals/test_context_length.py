"""The context length signal estimates tokens of the whole request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import ContextField, Turn
from router_extproc.signals.base import PartsSignal
from router_extproc.signals.context_length import (
    CHARS_COUNTED_MAX,
    IN_RANGE,
    TOKENS_PER_TURN,
    ContextLengthSignal,
    CountedLengthSignal,
    count_tokens,
    estimate_tokens,
)
from router_extproc.testing.subjects import subject_of


def test_every_text_of_the_request_counts() -> None:
    subject = subject_of(
        "x" * 40, system="x" * 40, history=[Turn("user", "x" * 40), Turn("assistant", "x" * 40)]
    )
    assert estimate_tokens(subject.request) == 40 + 4 * TOKENS_PER_TURN


def test_the_tool_loop_counts() -> None:
    """An agent's request is mostly calls and their results, behind the last user message."""
    call = ToolCall("read", "x" * 36)
    later = (Turn("assistant", "", (call,)), Turn("tool", "x" * 80), Turn("assistant", "", (call,)))
    request = replace(subject_of("x" * 40).request, later=later)
    assert estimate_tokens(request) == 10 + 2 * 10 + 20 + 2 * TOKENS_PER_TURN


def test_calls_of_earlier_turns_count() -> None:
    history = [Turn("assistant", "", (ToolCall("read", "x" * 36),))]
    assert estimate_tokens(subject_of("x" * 40, history=history).request) == 20 + TOKENS_PER_TURN


def test_tools_count_and_other_context_does_not() -> None:
    context = [ContextField("tools", b"x" * 40), ContextField("attachments", b"x" * 4000)]
    subject = subject_of("x" * 4, context=context)
    assert estimate_tokens(subject.request) == 11 + TOKENS_PER_TURN


def test_a_part_of_a_token_counts_as_one() -> None:
    assert estimate_tokens(subject_of("x" * 5).request) == 2 + TOKENS_PER_TURN


def test_bytes_count_not_characters() -> None:
    assert estimate_tokens(subject_of("語" * 4).request) == 3 + TOKENS_PER_TURN


def test_lone_surrogates_count_like_any_character() -> None:
    assert estimate_tokens(subject_of("\ud800" * 4).request) == 3 + TOKENS_PER_TURN


#: Ten tokens by the estimate.
TEN = subject_of("x" * 24)


@pytest.mark.parametrize(
    ("low", "high", "label"),
    [(10, 10, IN_RANGE), (0, None, IN_RANGE), (11, None, None), (0, 9, None)],
)
def test_bounds_are_inclusive(low: int, high: int | None, label: str | None) -> None:
    signal = ContextLengthSignal("long", min_tokens=low, max_tokens=high)
    assert signal.read(TEN).label == label


class Words:
    """Every word is a token; remembers how much it read. Fits models.base.TokenCounter."""

    def __init__(self) -> None:
        self.chars = 0

    def count(self, text: str) -> int:
        self.chars += len(text)
        return len(text.split())


def test_a_models_own_tokenizer_counts_every_part_of_the_request() -> None:
    subject = subject_of(
        "one two",
        system="three",
        history=[Turn("user", "four five"), Turn("assistant", "", (ToolCall("six", "seven"),))],
        context=[ContextField("tools", b"eight nine"), ContextField("temperature", b"0")],
    )
    assert count_tokens(subject.request, Words()) == 9 + 3 * TOKENS_PER_TURN


def test_of_a_long_request_both_ends_are_counted_and_the_rest_in_proportion() -> None:
    words = Words()
    request = subject_of("word " * 100_000).request
    assert count_tokens(request, words) == pytest.approx(100_000, rel=0.01)
    assert words.chars == CHARS_COUNTED_MAX


def encode_nothing(text: str, *, tasks: bool) -> None:
    """Fits signals.base.EncodeText."""
    del text, tasks


def test_the_counted_length_is_read_off_the_event_loop_and_estimated_without() -> None:
    signal = CountedLengthSignal("long", Words(), min_tokens=12)
    assert isinstance(signal, PartsSignal)
    subject = subject_of("aa bb cc dd ee ff gg hh")
    assert signal.read_parts(subject, encode_nothing).label == IN_RANGE
    assert signal.read(subject).label is None


def test_an_empty_request_has_no_tokens() -> None:
    assert count_tokens(subject_of("").request, Words()) == 0
