"""The context length signal estimates tokens of the whole request."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.llm.answer import ToolCall
from router_extproc.llm.request import ContextField, Turn
from router_extproc.signals.context_length import (
    IN_RANGE,
    TOKENS_PER_TURN,
    ContextLengthSignal,
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
