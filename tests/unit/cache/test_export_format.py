"""Entries as JSON: what is shown, what is kept back, and what an import refuses."""

from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path
from typing import Any  # JSON

import numpy as np
import orjson
import pytest

from router_extproc.cache.base import Entry
from router_extproc.cache.export_format import from_record, summary, to_record, whole
from router_extproc.dialects import DIALECTS
from router_extproc.llm.answer import JsonValue
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector
from router_extproc.testing.client import stored_answer

SAMPLES = Path(__file__).parents[2] / "samples" / "openai_chat"
ANSWER = stored_answer("All of it. 🎉")
ENTRY = replace(
    made_entry("a", now_s=1.5, vector=unit_vector(1.0, 2.0)), answer=ANSWER, prompt="Which one?", tags=("x",)
)


def again(entry: Entry) -> Entry:
    """The entry after it was exported and imported."""
    return from_record(orjson.loads(orjson.dumps(to_record(entry))), DIALECTS, dim=CHECK_DIM)


def test_entry_survives_export_and_import() -> None:
    back = again(ENTRY)
    assert replace(back, vector=None) == replace(ENTRY, vector=None)
    assert back.vector is not None
    assert ENTRY.vector is not None
    assert back.vector.tobytes() == ENTRY.vector.tobytes()


def test_entry_without_a_vector_survives_too() -> None:
    entry = replace(ENTRY, vector=None, prompt="")
    assert again(entry) == entry


def test_summary_holds_nothing_that_was_said() -> None:
    shown = orjson.dumps(summary(ENTRY))
    assert b"Which" not in shown
    assert b"All of it" not in shown
    assert summary(ENTRY)["prompt_chars"] == 10


def test_whole_entry_shows_question_and_answer() -> None:
    shown = whole(ENTRY, DIALECTS)
    assert shown["prompt"] == "Which one?"
    choice = {"content": "All of it. 🎉", "finish_reason": "stop", "tool_calls": []}
    identity = orjson.loads(ENTRY.answer[1:])["id"]
    assert shown["answer"] == {"id": identity, "model": "m", "choices": [choice], "usage": None}


def test_whole_entry_shows_calls_and_usage_whatever_version_stored_it() -> None:
    shown: Any = whole(replace(ENTRY, answer=b"\x01" + (SAMPLES / "stored-v1.json").read_bytes()), DIALECTS)
    assert [call["name"] for call in shown["answer"]["choices"][0]["tool_calls"]] == [
        "weather",
        "sql",
        "alarm",
    ]
    assert shown["answer"]["usage"]["cached_tokens"] == 16


def test_damaged_answer_is_shown_as_none() -> None:
    assert whole(replace(ENTRY, answer=b"x"), DIALECTS)["answer"] is None
    assert whole(replace(ENTRY, dialect="other"), DIALECTS)["answer"] is None


def test_half_a_surrogate_pair_does_not_stop_an_export() -> None:
    assert again(replace(ENTRY, prompt="a\ud83d")).prompt == "a?"


@pytest.mark.parametrize(
    ("member", "value", "problem"),
    [
        ("version", 3, "version 2 or before"),
        ("fingerprint", "ab", "fingerprint: must be 64 hex digits"),
        ("partition", "G" * 64, "partition: must be"),
        ("scope", None, "scope: missing"),
        ("prompt", 1, "prompt: missing or of the wrong type"),
        ("answer", None, "answer: missing or damaged"),
        ("answer", {"id": "a1"}, "answer: missing or damaged"),
        ("answer", [], "answer: missing or damaged"),
        ("dialect", "other", "dialect: not known"),
        ("created_s", True, "created_s: must be a number"),
        ("expires_s", "1", "expires_s: must be a number"),
        ("tags", ["a", 1], "tags: must be texts"),
        ("vector", 1, "vector: damaged"),
        ("vector", "?", "vector: damaged"),
        ("vector", "AAA=", "vector: damaged"),
        ("vector", base64.b64encode(np.ones(3, "<f4").tobytes()).decode(), "of length 3, but the encoder"),
        ("vector", base64.b64encode(np.ones(CHECK_DIM, "<f4").tobytes()).decode(), "not of unit length"),
        (
            "vector",
            base64.b64encode(np.full(CHECK_DIM, np.nan, "<f4").tobytes()).decode(),
            "not of unit length",
        ),
    ],
)
def test_import_refuses_what_it_did_not_export(member: str, value: JsonValue, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        from_record({**to_record(ENTRY), member: value}, DIALECTS, dim=CHECK_DIM)


@pytest.mark.parametrize("record", [None, [], "x", {}])
def test_import_refuses_other_json(record: JsonValue) -> None:
    with pytest.raises(ValueError, match="not an exported entry"):
        from_record(record, DIALECTS, dim=CHECK_DIM)


def test_export_of_version_1_is_read_and_replayed_as_then() -> None:
    """Its answer was in a neutral form; operators keep such files."""
    record = {
        **to_record(ENTRY),
        "version": 1,
        "answer": orjson.loads((SAMPLES / "stored-v1.json").read_bytes()),
    }
    entry = from_record(record, DIALECTS, dim=CHECK_DIM)
    assert entry.answer[1:] == (SAMPLES / "stored-v1.replay.json").read_bytes().rstrip()
