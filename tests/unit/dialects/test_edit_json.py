"""Editing bodies in place: the model's value changes, every other byte stays."""

from __future__ import annotations

import json
from typing import Any  # JSON trees of hypothesis

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router_extproc.dialects.base import BodyEdit
from router_extproc.dialects.edit_json import edit_body, models_are_strings

TEXTS = st.text(max_size=8) | st.sampled_from(
    ["model", '"model":', '\\"model\\":', "{", "}", "[", "\\", 'a"']
)
TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=15,
)
SPACES = st.text(" \t\n\r", max_size=2)
MODEL_NAMES = st.sampled_from(['"model"', '"mod\\u0065l"', '"\\u006D\\u006f\\u0064\\u0065\\u006C"'])


def rename(body: bytes, model: str = "pool") -> bytes:
    return edit_body(body, BodyEdit(model, {}))


@pytest.mark.parametrize(
    ("body", "edited"),
    [
        (b'{"model":"auto"}', b'{"model":"pool"}'),
        (b' \n{ "model" :\t"auto" , "a":1}\n', b' \n{ "model" :\t"pool" , "a":1}\n'),
        (rb'{"mod\u0065l":"au\"to"}', rb'{"mod\u0065l":"pool"}'),
        (b'{"a":{"model":"x"},"b":[{"model":"y"}],"model":"auto"}',) * 2,
        (rb'{"a":"\"model\":\"x\"","model":"auto"}',) * 2,
        (rb'{"a":", \"model\":1","model":"auto"}',) * 2,
        (rb'{"my\"model":"x","model":"auto"}',) * 2,
        (rb'{"a\\":"model","model":"auto"}',) * 2,
        (b'{"a":"model","Model":1,"models":2,"model":"auto"}',) * 2,
        (b'{"a":["model"],"model":"auto"}',) * 2,
    ],
)
def test_only_the_top_level_value_changes(body: bytes, edited: bytes) -> None:
    assert rename(body) == edited.replace(b'"auto"', b'"pool"')


@pytest.mark.parametrize("value", [rb'"x]}"', b'""', rb'"\\"', rb'"\"model\":"', '"é"'.encode()])
def test_every_doubled_member_is_replaced(value: bytes) -> None:
    """A pool may read the first or the last."""
    body = b'{"model": ' + value + b' , "a": 1,"model":' + value + b"}"
    assert rename(body) == b'{"model": "pool" , "a": 1,"model":"pool"}'


@pytest.mark.parametrize("value", [b"null", b"-1.5e3", b"[]", b'{"model":["]"]}', b"true"])
def test_model_that_is_no_string_is_seen_wherever_it_stands(value: bytes) -> None:
    assert models_are_strings(b'{"model":"x","a":{"model":' + value + b'},"model":"y"}')
    assert not models_are_strings(b'{"model": ' + value + b',"model":"x"}')
    assert not models_are_strings(b'{"model":"x","mod\\u0065l":' + value + b"}")


def test_model_name_is_written_as_json() -> None:
    assert json.loads(rename(b'{"model":"auto"}', 'a"b\\é\n')) == {"model": 'a"b\\é\n'}


def test_members_are_added_where_the_client_gave_none() -> None:
    edit = BodyEdit("pool", {"chat_template_kwargs": {"enable_thinking": False}, "seed": 1, "model": "no"})
    body = rb' {"model":"auto","s\u0065ed":7}'
    added = rb' {"chat_template_kwargs":{"enable_thinking":false},"model":"pool","s\u0065ed":7}'
    assert edit_body(body, edit) == added


def test_nothing_to_add_leaves_the_beginning_alone() -> None:
    assert edit_body(b'{"model":"a","seed":7}', BodyEdit("b", {"seed": 1})) == b'{"model":"b","seed":7}'


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, str]:
    """A body as a client might write it, and the same with the model's values replaced by "pool"."""
    members = draw(st.lists(st.tuples(TEXTS.filter(lambda name: name != "model"), TREES), max_size=4))
    ascii_only = draw(st.booleans())
    written = [(json.dumps(name, ensure_ascii=ascii_only), _write(tree, draw)) for name, tree in members]
    for _ in range(draw(st.integers(1, 2))):
        written.insert(draw(st.integers(0, len(written))), (draw(MODEL_NAMES), _write(draw(TEXTS), draw)))
    spaces = [draw(SPACES) for _ in range(4)]
    edited = [(name, '"pool"' if _is_model(name) else value) for name, value in written]
    return _object(written, spaces), _object(edited, spaces)


def _object(members: list[tuple[str, str]], spaces: list[str]) -> str:
    before, after_brace, after_name, before_value = spaces
    inside = ",".join(
        f"{after_brace}{name}{after_name}:{before_value}{value}{before}" for name, value in members
    )
    return f"{before}{{{inside}}}{after_brace}"


def _is_model(name: str) -> bool:
    return bool(json.loads(name) == "model")


def _write(tree: Any, draw: st.DrawFn) -> str:
    return json.dumps(tree, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))


@given(bodies())
@example(('{"\\"":"\\\\","model":"a"}', '{"\\"":"\\\\","model":"pool"}'))
def test_every_byte_outside_the_value_stays(both: tuple[str, str]) -> None:
    body, edited = both
    assert rename(body.encode()) == edited.encode()


def test_large_bodies_are_edited_in_one_pass() -> None:
    """Quadratic work would take minutes here, not milliseconds."""
    nested = b'{"model":[' * 20_000 + b"]}" * 20_000
    many = b",".join([b'"model":"a"'] * 20_000)
    body = b'{"a":' + nested + b"," + many + b"}"
    assert rename(body) == b'{"a":' + nested + b"," + many.replace(b'"a"', b'"pool"') + b"}"
