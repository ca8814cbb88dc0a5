"""Stored, renewed and composed chat completions; the round trip is in tests/fuzz."""

from __future__ import annotations

from pathlib import Path
from typing import Any  # JSON bodies

import orjson
import pytest

from router_extproc.dialects.openai_chat import OpenAIChat
from router_extproc.llm.answer import Answer

SAMPLES = Path(__file__).parents[3] / "samples" / "openai_chat"
DIALECT = OpenAIChat()
BODY = b'{"model":"a","messages":[{"role":"user","content":"q"}]%s}'
STREAMED = BODY % b',"stream":true,"stream_options":{"include_usage":true}'


def old_answer() -> Any:
    return orjson.loads((SAMPLES / "stored-v1.json").read_bytes())


@pytest.mark.parametrize(("body", "kind"), [(BODY % b"", "json"), (STREAMED, "sse")])
def test_answer_stored_by_the_version_before_is_replayed_as_then(body: bytes, kind: str) -> None:
    """The bytes were recorded from that version: caches survive the upgrade."""
    rendered = DIALECT.render(DIALECT.restore(old_answer()), DIALECT.parse(body)).body
    assert rendered.rstrip() == (SAMPLES / f"stored-v1.replay.{kind}").read_bytes().rstrip()


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("id", None),
        ("created_s", "1"),
        ("choices", {}),
        ("choices", [1]),
        ("extra", None),
        ("usage", 1),
        ("usage", {}),
        ("choices", []),
    ],
)
def test_damaged_answer_of_the_version_before_is_refused(member: str, value: Any) -> None:
    with pytest.raises(ValueError, match="no complete answer"):
        DIALECT.restore({**old_answer(), member: value})


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("message_extra", None),
        ("choice_extra", []),
        ("tool_calls", None),
        ("reasoning_field", None),
        ("tool_calls", [{"kind": "magic", "id": "c", "name": "f", "arguments": "", "extra": {}}]),
        ("tool_calls", [{"kind": "function", "id": "c", "name": "f", "arguments": "", "extra": None}]),
        ("tool_calls", [{"kind": "function_call", "id": "", "name": None, "arguments": "", "extra": {}}]),
        ("finish_reason", "length"),
    ],
)
def test_damaged_choice_of_the_version_before_is_refused(member: str, value: Any) -> None:
    document = old_answer()
    document["choices"][0][member] = value
    with pytest.raises(ValueError, match="no complete answer"):
        DIALECT.restore(document)


def test_answer_without_usage_of_the_version_before_has_none() -> None:
    assert DIALECT.restore({**old_answer(), "usage": None}).facts.usage is None


def answer(identity: str) -> Answer:
    return DIALECT.restore({**DIALECT.compose("Hi.", model="m", now_s=5.9), "id": identity})


@pytest.mark.parametrize(
    ("identity", "kind"), [("chatcmpl-1", "chatcmpl"), ("gen-tool-1", "gen"), ("x", "chatcmpl")]
)
def test_renewed_answer_keeps_the_kind_of_its_id(identity: str, kind: str) -> None:
    """A client's library may look at it."""
    new = DIALECT.renew(answer(identity), now_s=77.9)
    assert new.facts.id == new.document["id"]
    assert new.facts.id.partition("-")[0] == kind
    assert new.document["created"] == 77


def test_renewing_leaves_the_answer_in_the_cache_alone() -> None:
    old = answer("chatcmpl-1")
    DIALECT.renew(old, now_s=77)
    assert (old.facts.id, old.document["id"], old.document["created"]) == ("chatcmpl-1", "chatcmpl-1", 5)
