"""The header signal gives the header's value."""

from __future__ import annotations

import pytest

from router_extproc.signals.base import Reading
from router_extproc.signals.header import VALUE_CHARS_MAX, HeaderSignal
from router_extproc.testing.subjects import subject_of

SIGNAL = HeaderSignal("team", "X-Team")


def test_value_is_the_label_without_the_space_around_it() -> None:
    assert SIGNAL.read(subject_of("hi", headers={"x-team": " search "})) == Reading("team", "search", 1.0)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-team": ""},
        {"x-team": "  "},
        {"x-team": "x" * (VALUE_CHARS_MAX + 1)},
        {"x-team": "x" * 1_000_000},
    ],
    ids=["absent", "empty", "blank", "too long", "1 MB"],
)
def test_no_value_reads_as_nothing(headers: dict[str, str]) -> None:
    assert SIGNAL.read(subject_of("hi", headers=headers)) == Reading("team", None, 0.0)
