"""Reading request bodies strictly."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.json_body import canonical, has_duplicate_members, read_object
from router_extproc.errors import MalformedRequest

KEYS = st.sampled_from(["a", "b", ":", "", "é:"])
TREES = st.recursive(
    st.none() | st.integers(0, 9) | KEYS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"[]",
        b"1",
        b"{} {}",
        b"\xff\xfe{\x00}\x00",
        b'\xef\xbb\xbf\xef\xbb\xbf{"a": 1}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": 1e999}',
        b'{"a": "\\ud83c"}',
        b'{"a": "\xed\xa0\xbc"}',
        b'{"a": "\xff"}',
        b'{"a": "tab\there"}',
        b"[" * 100_000,
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
    ],
)
def test_what_is_no_strict_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(MalformedRequest):
        read_object(body)


def test_a_byte_order_mark_is_passed_over() -> None:
    assert read_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_refusal_names_the_place_and_nothing_else() -> None:
    with pytest.raises(MalformedRequest, match=r"line 2, column 9") as refused:
        read_object(b'{"secret":\n "word" oh}')
    assert "secret" not in refused.value.message
    assert "word" not in refused.value.message


def test_deep_nesting_that_was_read_is_refused_when_written() -> None:
    document = read_object(b'{"a":' * 500 + b"1" + b"}" * 500)
    with pytest.raises(MalformedRequest, match="deep"):
        canonical(document)


def test_key_order_does_not_change_the_canonical_form() -> None:
    assert canonical({"b": 1, "a": {"d": 2, "c": 3}}) == b'{"a":{"c":3,"d":2},"b":1}'


@pytest.mark.parametrize(
    "body",
    [
        rb'{"a": 1, "a": 1}',
        rb'{"x": [{"a": 1, "b": 2, "a": 3}]}',
        rb'{"a": 1, "\u0061": 2}',
        rb'{"a": "\u003a", "a": ":"}',
        rb'{"a": "\u003a\u003A", "b": 1, "b": 2}',
    ],
)
def test_doubled_members_are_seen_at_any_depth_and_spelling(body: bytes) -> None:
    assert has_duplicate_members(body, read_object(body))


@pytest.mark.parametrize(
    "body", [rb'{"a": "\u003a"}', rb'{"a:\"": ":\\", "b": ":"}', rb'{"\u003a": "\":", "a": [":", {}]}']
)
def test_colons_in_strings_are_no_members(body: bytes) -> None:
    assert not has_duplicate_members(body, read_object(body))


@given(st.dictionaries(KEYS, TREES), st.booleans())
def test_serialised_objects_have_no_doubled_members(tree: dict[str, object], ascii_only: bool) -> None:  # noqa: FBT001
    body = json.dumps(tree, ensure_ascii=ascii_only).encode()
    assert not has_duplicate_members(body, read_object(body))


@given(TREES, TREES, KEYS, st.booleans())
def test_every_doubled_member_is_seen(one: object, two: object, key: str, escaped: bool) -> None:  # noqa: FBT001
    name = json.dumps(key)
    again = name.replace(":", "\\u003a") if escaped else name
    body = f'{{{name}: {json.dumps(one)}, "other": 1, {again}: {json.dumps(two)}}}'.encode()
    assert has_duplicate_members(body, read_object(body))
