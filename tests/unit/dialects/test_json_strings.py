"""Every string value of a body is seen, whatever is around it."""

from __future__ import annotations

import json
from itertools import pairwise

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.json_strings import spelled_places, strings_of, text_of

NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=20,
)


def walk(value: object, names: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], str]]:
    if isinstance(value, str):
        return [(names, value)]
    if isinstance(value, list):
        return [found for each in value for found in walk(each, names)]
    if isinstance(value, dict):
        return [found for name, each in value.items() for found in walk(each, (*names, name))]
    return []


@given(
    document=st.dictionaries(NAMES, VALUES, max_size=5),
    ascii_only=st.booleans(),
    indent=st.sampled_from([None, 1]),
)
def test_all_strings_are_found_with_their_names(
    document: object, *, ascii_only: bool, indent: int | None
) -> None:
    body = json.dumps(document, ensure_ascii=ascii_only, indent=indent).encode()
    found = [(each.names, text_of(body[each.start : each.end].decode())) for each in strings_of(body)]
    assert found == walk(document)


def test_a_doubled_member_is_seen_twice() -> None:
    body = b'{"user": "one", "user": "two"}'
    assert [body[each.start : each.end] for each in strings_of(body)] == [b"one", b"two"]


def test_objects_of_a_list_are_counted() -> None:
    body = b'{"tools": [{"a": "x"}], "messages": [{"a": "p", "b": [{"c": "q"}]}, {"a": "r"}], "z": "s"}'
    assert [each.element for each in strings_of(body)] == [0, 0, 0, 1, -1]


@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=12), ascii_only=st.booleans())
def test_a_place_in_the_text_is_found_in_what_is_written(text: str, *, ascii_only: bool) -> None:
    spelled = json.dumps(text, ensure_ascii=ascii_only)[1:-1]
    places = list(range(len(text) + 1))
    cuts = spelled_places(spelled, places)
    pieces = [spelled[start:end] for start, end in pairwise(cuts)]
    assert [orjson.loads(f'"{piece}"') for piece in pieces] == list(text)
    assert cuts[-1:] == [len(spelled)]
