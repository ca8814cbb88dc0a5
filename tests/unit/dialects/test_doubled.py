"""Bodies in which an object names a member twice."""

from __future__ import annotations

import pytest

from router_extproc.dialects.doubled import mark_of_doubled
from router_extproc.dialects.json_body import read_object
from router_extproc.errors import MalformedRequest

DECIDING = ("model", "messages")
SAID = b'"messages":[{"role":"user","content":"hi"}]'


def mark(body: bytes) -> bytes:
    return mark_of_doubled(body, read_object(body), DECIDING)


def test_a_body_that_names_each_member_once_has_no_mark() -> None:
    assert mark(b'{"model":"auto",' + SAID + b"}") == b""


@pytest.mark.parametrize(
    "body",
    [
        b'{"model":"auto","seed":1,"seed":2,' + SAID + b"}",
        b'{"model":"auto","mod\\u0065l": "auto",' + SAID + b"}",
        b'{"model":"auto",' + SAID + b"," + SAID.replace(b":", b": ") + b"}",
        b'{"model":"auto","messages":[{"role":"user","role":"user","content":"hi"}]}',
        b'\xef\xbb\xbf{"model":"auto","x":{"a":1,"a":[]},' + SAID + b"}",
    ],
)
def test_what_every_reader_decides_alike_on_is_marked_with_its_own_bytes(body: bytes) -> None:
    assert mark(body) == b"\n" + body


@pytest.mark.parametrize(
    ("body", "param"),
    [
        (b'{"model":"small","model":"large",' + SAID + b"}", "model"),
        (b'{"model":"small","mod\\u0065l":"large",' + SAID + b"}", "model"),
        (b'{"model":{"a":1},"model":"large",' + SAID + b"}", "model"),
        (b'{"model":null,"model":"large",' + SAID + b"}", "model"),
        (b'{"model":"a","messages":[],' + SAID + b"}", "messages"),
        (b'{"model":"a","messages":[{"role":"user","content":"attack","content":"hi"}]}', "messages"),
        (b'{"model":"a","messages":[{"role":"system","role":"user","content":"hi"}]}', "messages"),
        (b'{"model":"a","messages":[{"role":"user","content":[{"text":"b","text":"a"}]}]}', "messages"),
        (b'{"model":"a","messages":[{"a":1,"a":true}],"messages":[{"a":true}]}', "messages"),
    ],
)
def test_what_readers_could_decide_differently_on_is_refused(body: bytes, param: str) -> None:
    """Else a guard reads one text, and a model the other."""
    with pytest.raises(MalformedRequest) as refused:
        mark(body)
    assert refused.value.param == param
    assert "attack" not in refused.value.message


@pytest.mark.parametrize("deep", [b"[" * 900 + b"]" * 900, b"[" * 980 + b"]" * 980])
@pytest.mark.parametrize("name", [b"seed", b"model"])
def test_a_member_that_nobody_keeps_must_not_be_nested_too_deeply_either(deep: bytes, name: bytes) -> None:
    """Edits look at every member of a name, with a reader that calls itself."""
    body = b'{"' + name + b'":' + deep + b',"' + name + b'":"a",' + SAID + b"}"
    with pytest.raises(MalformedRequest):
        mark(body)
