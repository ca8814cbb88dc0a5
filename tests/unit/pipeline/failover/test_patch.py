from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.edit_json import edit_json
from router_extproc.llm.edits import Edit, Remove, Set
from router_extproc.pipeline.failover.patch import apply, diff, written_bytes

BODY = json.dumps(
    {"model": "auto", "messages": [{"role": "user", "content": "ä word " * 5000}], "user": "me", "n": 1}
).encode()


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_the_new_body_comes_out_whatever_it_is(old: bytes, new: bytes) -> None:
    assert apply(diff(old, new), old) == new


@given(st.lists(st.tuples(st.integers(0, 30000), st.binary(max_size=40), st.integers(0, 40)), max_size=5))
def test_a_few_places_in_a_long_body_come_out_too(places: list[tuple[int, bytes, int]]) -> None:
    new = BODY
    for at, written, removed in places:
        new = new[:at] + written + new[at + removed :]
    assert apply(diff(BODY, new), BODY) == new


@pytest.mark.parametrize(
    "edits",
    [
        (Set(("model",), "other-name"),),
        (Set(("model",), "x"), Set(("user",), "somebody else")),
        (Set(("model",), "x"), Set(("chat_template_kwargs",), {"enable_thinking": False})),
        (Remove(("user",)), Remove(("n",)), Set(("reasoning_effort",), "high")),
    ],
)
def test_only_what_differs_is_written_out(edits: tuple[Edit, ...]) -> None:
    """A body of a mebibyte would not fit into the metadata by which the difference travels."""
    first = edit_json(BODY, (Set(("model",), "org/first-model"),))
    other = edit_json(BODY, edits)
    patch = diff(first, other)
    assert apply(patch, first) == other
    assert written_bytes(patch) < 200


def test_equal_bodies_differ_in_nothing() -> None:
    assert written_bytes(diff(BODY, BODY)) == 0
    assert diff(BODY, b"") == ()
