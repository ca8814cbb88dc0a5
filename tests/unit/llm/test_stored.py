"""Stored answers: lossless, versioned, never half read. The property over any answer is in tests/fuzz."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any  # JSON trees

import orjson
import pytest

from router_extproc.llm.answer import Answer, Choice, ToolCall, Usage
from router_extproc.llm.stored import (
    VERSION,
    answer_document,
    decode_answer,
    encode_answer,
    read_answer_document,
)

ANSWER = Answer(
    id="a1",
    model="m",
    created_s=5,
    choices=(
        Choice(
            index=0,
            content="tree\n\U0001f333\u2028\0",
            finish_reason="tool_calls",
            tool_calls=(ToolCall("c", "f", '{"a": 1}', "custom", {"x": [1, 2.5, None]}),),
            reasoning="",
            reasoning_field="reasoning",
            refusal="no",
            message_extra={"annotations": []},
            choice_extra={"logprobs": None},
        ),
        Choice(1, None, None),
    ),
    usage=Usage(1, 2, 3, {"total_tokens": 3}),
    extra={"system_fingerprint": "fp"},
)


def damaged(change: Any) -> bytes:
    """The stored form with one member changed."""
    tree = orjson.loads(encode_answer(ANSWER)[1:])
    change(tree)
    return VERSION + orjson.dumps(tree)


def test_answer_comes_back_equal() -> None:
    assert decode_answer(encode_answer(ANSWER)) == ANSWER


def test_answer_without_usage_comes_back_equal() -> None:
    answer = Answer("a1", "m", 5, ())
    assert decode_answer(encode_answer(answer)) == answer


def test_read_only_mappings_are_stored_too() -> None:
    answer = Answer("a1", "m", 5, (), extra=MappingProxyType({"a": 1}))
    assert decode_answer(encode_answer(answer)).extra == {"a": 1}


@pytest.mark.parametrize("member", ["\ud800", 1 << 64, object()])
def test_what_json_cannot_hold_is_not_stored(member: Any) -> None:
    with pytest.raises(ValueError, match="cannot be stored"):
        encode_answer(Answer("a1", "m", 5, (), extra={"a": member}))


@pytest.mark.parametrize("stored", [b"", b"{}", b"\x00{}", b"\x02" + encode_answer(ANSWER)[1:]])
def test_other_versions_are_refused(stored: bytes) -> None:
    with pytest.raises(ValueError, match="version"):
        decode_answer(stored)


@pytest.mark.parametrize("rest", [b"", b"null", b"[]", b"{}", b"{", b"\xff", b"[" * 5000])
def test_damaged_bytes_are_refused(rest: bytes) -> None:
    with pytest.raises(ValueError, match="damaged"):
        decode_answer(VERSION + rest)


def test_every_cut_is_refused() -> None:
    stored = encode_answer(ANSWER)
    for end in range(len(stored)):
        with pytest.raises(ValueError, match=r"damaged|version"):
            decode_answer(stored[:end])


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ((), Answer),
        (("choices", 0), Choice),
        (("choices", 0, "tool_calls", 0), ToolCall),
        (("usage",), Usage),
    ],
)
def test_every_member_must_be_there_with_its_type(path: tuple[Any, ...], kind: Any) -> None:
    for field in fields(kind):

        def retype(tree: Any, name: str = field.name) -> None:
            for step in path:
                tree = tree[step]
            tree[name] = 1.5

        def drop(tree: Any, name: str = field.name) -> None:
            for step in path:
                tree = tree[step]
            del tree[name]

        for change in (retype, drop):
            with pytest.raises(ValueError, match="damaged"):
                decode_answer(damaged(change))


def test_refusal_says_nothing_of_what_is_stored() -> None:
    with pytest.raises(ValueError, match="damaged") as refused:
        decode_answer(encode_answer(ANSWER)[:-1])
    assert refused.value.__cause__ is None
    assert "tree" not in str(refused.value)


def test_an_answer_survives_as_a_document() -> None:
    stored = encode_answer(ANSWER)
    assert read_answer_document(orjson.loads(orjson.dumps(answer_document(stored)))) == stored


def test_only_a_whole_answer_is_a_document() -> None:
    with pytest.raises(ValueError, match="damaged"):
        answer_document(VERSION + b"{}")
    with pytest.raises(ValueError, match="damaged"):
        read_answer_document({"id": "a"})
