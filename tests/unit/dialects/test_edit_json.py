"""Editing bodies in place: what the edits name changes, every other byte stays."""

from __future__ import annotations

import json
from typing import Any  # JSON trees of hypothesis

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router_extproc.dialects.edit_json import edit_json
from router_extproc.llm.edits import (
    Add,
    AppendItem,
    AppendText,
    Cap,
    Edit,
    PrependItem,
    PrependText,
    Remove,
    RemoveItems,
    Set,
)

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
    return edit_json(body, [Set(("model",), model)])


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


def test_model_name_is_written_as_json() -> None:
    assert json.loads(rename(b'{"model":"auto"}', 'a"b\\é\n')) == {"model": 'a"b\\é\n'}


def test_members_are_added_where_the_client_gave_none() -> None:
    added = {"chat_template_kwargs": {"enable_thinking": False}, "seed": 1, "model": "no"}
    edits = [Set(("model",), "pool"), *(Add((name,), value) for name, value in added.items())]
    body = rb' {"model":"auto","s\u0065ed":7}'
    edited = rb' {"chat_template_kwargs":{"enable_thinking":false},"model":"pool","s\u0065ed":7}'
    assert edit_json(body, edits) == edited


def test_nothing_to_add_leaves_the_beginning_alone() -> None:
    assert (
        edit_json(b'{"model":"a","seed":7}', [Set(("model",), "b"), Add(("seed",), 1)])
        == b'{"model":"b","seed":7}'
    )


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


# ── every kind of edit ────────────────────────────────────────────────────────────────────────

BODY = b'{"max_tokens": 5e3, "tools" :[ {"a":1} , 2 ], "stop": null ,"messages":[{"content": "q"}]}'


@pytest.mark.parametrize(
    ("edit", "old", "new"),
    [
        (Set(("stop",), ["x"]), b"null", b'["x"]'),
        (Set(("tools",), {}), b'[ {"a":1} , 2 ]', b"{}"),
        (Set(("seed",), 1), b'{"max', b'{"seed":1,"max'),
        (Set(("messages", 0, "name"), "n"), b'{"content"', b'{"name":"n","content"'),
        (Set(("tools", 2), 1), b"", b""),
        (Set(("tools", "a"), 1), b"", b""),
        (Set(("messages", 0, 0), 1), b"", b""),
        (Set(("stop", "a"), 1), b"", b""),
        (Add(("stop",), 1), b"", b""),
        (Add(("tools", 0, "b"), None), b'{"a"', b'{"b":null,"a"'),
        (Add(("absent", "b"), None), b"", b""),
        (Cap(("max_tokens",), 4096), b"5e3", b"4096"),
        (Cap(("max_tokens",), 5000), b"", b""),
        (Cap(("stop",), 1), b"", b""),
        (Cap(("seed",), 1), b"", b""),
        (Remove(("stop",)), b'"stop": null ,', b""),
        (Remove(("max_tokens",)), b'"max_tokens": 5e3,', b""),
        (Remove(("messages",)), b' ,"messages":[{"content": "q"}]', b" "),
        (Remove(("tools", 0)), b'{"a":1} ,', b""),
        (Remove(("tools", 1)), b" , 2", b" "),
        (Remove(("tools", 0, "a")), b'"a":1', b""),
        (Remove(("tools", 2)), b"", b""),
        (Remove(("seed",)), b"", b""),
        (PrependText(("messages", 0, "content"), 'Be "brief".\n'), b'"q"', b'"Be \\"brief\\".\\nq"'),
        (PrependText(("tools",), "x"), b"", b""),
        (PrependItem(("messages",), {"role": "system"}), b'[{"c', b'[{"role":"system"},{"c'),
        (PrependItem(("messages", 0), 1), b"", b""),
    ],
)
def test_edit_changes_its_place_alone(edit: Edit, old: bytes, new: bytes) -> None:
    assert edit_json(BODY, [edit]) == BODY.replace(old, new)


@pytest.mark.parametrize(
    ("body", "edited"),
    [
        (b'{"a":1,"a":2}', b"{}"),
        (b'{ "a":1 , "a":2 }', b"{  }"),
        (b'{"b":0 ,"a":1, "a":2}', b'{"b":0 }'),
        (b'{"a":1,"b":0,"a":2,"a":3}', b'{"b":0}'),
        (b'{"a":1,"b":0,"a":2,"c":3}', b'{"b":0,"c":3}'),
    ],
)
def test_every_doubled_member_is_removed(body: bytes, edited: bytes) -> None:
    assert edit_json(body, [Remove(("a",))]) == edited


def test_path_through_a_doubled_member_means_each() -> None:
    body = b'{"a":{"b":1},"a":{"b":2,"b":3},"a":4}'
    assert edit_json(body, [Set(("a", "b"), 0)]) == b'{"a":{"b":0},"a":{"b":0,"b":0},"a":4}'


def test_first_members_and_elements_have_no_comma_behind() -> None:
    edits = [Add(("a", "x"), 1), Add(("a", "y"), 2), PrependItem(("b",), 3)]
    assert edit_json(b'{"a":{ },"b":[\n]}', edits) == b'{"a":{"x":1,"y":2 },"b":[3\n]}'


def test_later_edits_see_what_earlier_ones_did() -> None:
    edits = [
        Set(("n",), 9),
        Cap(("n",), 5),
        Remove(("l", 0)),
        Set(("l", 0), "b"),
        PrependItem(("l",), {}),
        Add(("l", 0, "x"), 1),
        Remove(("z",)),
        Add(("z",), 1),
    ]
    assert edit_json(b'{"l":[0,1],"z":0}', edits) == b'{"z":1,"n":5,"l":[{"x":1},"b"]}'


@pytest.mark.parametrize(
    ("edit", "edited"),
    [
        (AppendText(("t",), ' "b"'), rb'{"t" : "a\u0041 \"b\"" , "l":[ 1 , 2 , 3 ]}'),
        (AppendItem(("l",), "x"), rb'{"t" : "a\u0041" , "l":[ 1 , 2 , 3 ,"x"]}'),
        (RemoveItems(("l",), frozenset({0, 2})), rb'{"t" : "a\u0041" , "l":[  2  ]}'),
        (RemoveItems(("l",), frozenset({0, 1, 2, 9})), rb'{"t" : "a\u0041" , "l":[  ]}'),
        (RemoveItems(("l",), frozenset()), rb'{"t" : "a\u0041" , "l":[ 1 , 2 , 3 ]}'),
    ],
)
def test_what_is_put_behind_or_taken_out_leaves_the_rest(edit: Edit, edited: bytes) -> None:
    assert edit_json(rb'{"t" : "a\u0041" , "l":[ 1 , 2 , 3 ]}', [edit]) == edited


def test_many_elements_are_taken_out_in_one_pass() -> None:
    """One edit each would read the body ten thousand times."""
    body = b'{"l":[' + b",".join([b'{"a":[1]}'] * 20_000) + b"]}"
    edited = edit_json(body, [RemoveItems(("l",), frozenset(range(1, 20_000)))])
    assert edited == b'{"l":[{"a":[1]}]}'


@pytest.mark.parametrize("edits", [[], [Set(("model",), "a")], [Add(("model",), "b")], [Remove(("x",))]])
def test_body_that_says_so_already_is_the_same(edits: list[Edit]) -> None:
    assert edit_json(b'{"model":"a"}', edits) == b'{"model":"a"}'


def test_numbers_and_names_are_read_as_json_has_them() -> None:
    body = rb'{"max\u005Ftokens":-1.5E+1,"t":9}'
    assert edit_json(body, [Cap(("max_tokens",), -20)]) == rb'{"max\u005Ftokens":-20,"t":9}'


NAMES = st.sampled_from(["a", "b", "model"])
PATHS = st.lists(NAMES | st.integers(0, 2), min_size=1, max_size=3).map(tuple)
VALUES = st.none() | st.integers(-9, 9) | TEXTS | st.lists(NAMES, max_size=1)
EDITS = st.lists(
    st.builds(Set, PATHS, VALUES)
    | st.builds(Add, PATHS, VALUES)
    | st.builds(Cap, PATHS, st.integers(-9, 9))
    | st.builds(Remove, PATHS)
    | st.builds(PrependText, PATHS, TEXTS)
    | st.builds(AppendText, PATHS, TEXTS)
    | st.builds(PrependItem, PATHS, VALUES)
    | st.builds(AppendItem, PATHS, VALUES)
    | st.builds(RemoveItems, PATHS, st.frozensets(st.integers(0, 3))),
    max_size=4,
)
OBJECTS = st.dictionaries(
    NAMES | TEXTS, TREES | st.lists(st.dictionaries(NAMES, TREES), max_size=2), max_size=4
)


def applied(tree: Any, path: tuple[str | int, ...], edit: Edit) -> Any:
    """What the edit makes of a parsed value; the plain way."""
    if not path:
        return _changed(tree, edit)
    step, rest = path[0], path[1:]
    if isinstance(tree, dict) and isinstance(step, str):
        if step in tree:
            if not rest and isinstance(edit, Remove):
                return {name: value for name, value in tree.items() if name != step}
            return {**tree, step: applied(tree[step], rest, edit)}
        return {**tree, step: edit.value} if not rest and isinstance(edit, Set | Add) else tree
    if isinstance(tree, list) and isinstance(step, int) and step < len(tree):
        gone = not rest and isinstance(edit, Remove)
        return [*tree[:step], *([] if gone else [applied(tree[step], rest, edit)]), *tree[step + 1 :]]
    return tree


def _changed(value: Any, edit: Edit) -> Any:
    match edit:
        case Set():
            return edit.value
        case Cap() if isinstance(value, int | float) and not isinstance(value, bool):
            return min(value, edit.most)
        case PrependText() if isinstance(value, str):
            return edit.text + value
        case AppendText() if isinstance(value, str):
            return value + edit.text
        case PrependItem() | AppendItem() | RemoveItems() if isinstance(value, list):
            return _changed_list(value, edit)
    return value


def _changed_list(value: list[Any], edit: PrependItem | AppendItem | RemoveItems) -> list[Any]:
    match edit:
        case PrependItem():
            return [edit.item, *value]
        case AppendItem():
            return [*value, edit.item]
        case RemoveItems():
            return [item for place, item in enumerate(value) if place not in edit.items]


@given(tree=OBJECTS, edits=EDITS, ascii_only=st.booleans(), indent=st.sampled_from([None, 1]))
def test_any_edits_of_any_body_give_the_value_expected(
    tree: Any, edits: list[Edit], *, ascii_only: bool, indent: int | None
) -> None:
    expected = tree
    for edit in edits:
        expected = applied(expected, edit.path, edit)
    body = json.dumps(tree, ensure_ascii=ascii_only, indent=indent).encode()
    assert json.loads(edit_json(body, edits)) == expected


@given(tree=OBJECTS, edit=st.builds(Set, PATHS, VALUES), indent=st.sampled_from([None, 1]))
def test_bytes_around_what_an_edit_replaced_stay(tree: Any, edit: Set, indent: int | None) -> None:
    """What is not the new value is, before and after it, as it was."""
    body = json.dumps(tree, indent=indent).encode()
    edited, written = edit_json(body, [edit]), orjson.dumps(edit.value)
    starts = [place for place in range(len(edited)) if edited.startswith(written, place)]
    assert edited == body or any(
        body.startswith(edited[:place].removesuffix(_key(edit)))
        and body.endswith(edited[place + len(written) :].removeprefix(b","))
        for place in starts
    )


def _key(edit: Set) -> bytes:
    """How a member is written that was not there."""
    return orjson.dumps(edit.path[-1]) + b":"


def test_nested_edits_of_large_bodies_are_one_pass_each() -> None:
    """Quadratic work would take minutes here, not milliseconds."""
    messages = b",".join([b'{"content":[{"text":"q"}],"name":"model"}'] * 10_000)
    body = b'{"a":[' + messages + b"]," + b",".join([b'"b":{"c":1 }'] * 10_000) + b"}"
    edits: list[Edit] = [PrependText(("a", 9_999, "content", 0, "text"), "p"), Remove(("b", "c"))]
    edited = edit_json(body, edits)
    assert edited.count(b'"pq"') == 1
    assert edited.count(b'"b":{ }') == 10_000


@pytest.mark.parametrize(
    ("body", "edits", "edited"),
    [
        (b'{"a":0}', [Add(("b",), 1), Remove(("a",))], b'{"b":1}'),
        (b'{"a":0}', [Remove(("a",)), Set(("b",), 1)], b'{"b":1}'),
        (b'{"a":0,"b":1}', [Remove(("a",)), Remove(("b",))], b"{}"),
        (b'{"a":[0,1]}', [Remove(("a", 0)), Set(("a", 0), 2)], b'{"a":[2]}'),
        (b'{"a":[0,1]}', [Remove(("a", 0)), Set(("a", 1), 2)], b'{"a":[1]}'),
        (b'{"a":[0,1]}', [Remove(("a", 0)), Remove(("a", 0))], b'{"a":[]}'),
    ],
)
def test_what_stands_beside_a_removed_one_is_edited_after_it(
    body: bytes, edits: list[Edit], edited: bytes
) -> None:
    """Commas and places move with it."""
    assert edit_json(body, edits) == edited
