"""Entries as JSON: what operators list, look at, export and import. What a backend stores is its own.

A summary holds nothing that a client or a model said. What is imported is checked field by field, and its
answer is read by its dialect, because clients are answered from it.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import Final, TypeVar

import numpy as np

from router_extproc.cache.base import Entry, Fingerprint, Partition, Scope
from router_extproc.cache.digest import DIGEST_CHARS
from router_extproc.dialects.base import AnswerDialect
from router_extproc.llm.answer import Choice, JsonValue
from router_extproc.llm.stored import decode_document, encode_answer
from router_extproc.models.base import Vector

#: Member of every exported record; a change of the form raises it.
VERSION: Final = 2
#: Version 1 held answers in a neutral form, which the dialect still reads.
_READ: Final = (1, VERSION)

_DIGEST = re.compile(rf"[0-9a-f]{{{DIGEST_CHARS}}}")
#: Little-endian on every machine.
_VECTOR_TYPE = np.dtype("<f4")
#: How far from 1 the length of a vector may be.
_LENGTH_TOLERANCE = 1e-3

_Value = TypeVar("_Value")


def summary(entry: Entry) -> dict[str, JsonValue]:
    """What an entry is, without its question and its answer."""
    return {
        "fingerprint": entry.fingerprint,
        "scope": entry.scope,
        "model": entry.model,
        "decision": entry.decision,
        "dialect": entry.dialect,
        "tags": list(entry.tags),
        "created_s": entry.created_s,
        "expires_s": entry.expires_s,
        "semantic": entry.vector is not None,
        "prompt_chars": len(entry.prompt),
        "answer_bytes": len(entry.answer),
    }


def whole(entry: Entry, dialects: Mapping[str, AnswerDialect]) -> dict[str, JsonValue]:
    """The entry with its question and what its answer says; a damaged answer is None.

    dialects: by name, each reads the answers of its own entries.
    """
    return {
        **summary(entry),
        "partition": entry.partition,
        "prompt": _readable(entry.prompt),
        "answer": _said(entry, dialects),
    }


def to_record(entry: Entry) -> dict[str, JsonValue]:
    """The entry as it is exported: `from_record` makes an equal one of it."""
    vector = None if entry.vector is None else entry.vector.astype(_VECTOR_TYPE).tobytes()
    return {
        "version": VERSION,
        "fingerprint": entry.fingerprint,
        "partition": entry.partition,
        "scope": entry.scope,
        "vector": None if vector is None else base64.b64encode(vector).decode(),
        "prompt": _readable(entry.prompt),
        "answer": _document(entry.answer),
        "dialect": entry.dialect,
        "model": entry.model,
        "decision": entry.decision,
        "created_s": entry.created_s,
        "expires_s": entry.expires_s,
        "tags": list(entry.tags),
    }


def from_record(record: JsonValue, dialects: Mapping[str, AnswerDialect], *, dim: int) -> Entry:
    """The entry of an exported record; `dim`: length of the encoder's vectors.

    dialects: by name, each reads the answers of its own entries.

    Raises:
        ValueError: it is not one, or of another encoder; names the member, never its value.
    """
    if not isinstance(record, dict) or record.get("version") not in _READ:
        raise ValueError(f"not an exported entry of version {VERSION} or before")
    return Entry(
        fingerprint=Fingerprint(_digest(record, "fingerprint")),
        partition=Partition(_digest(record, "partition")),
        scope=Scope(_digest(record, "scope")),
        vector=_vector(record, dim),
        prompt=_member(record, "prompt", str),
        answer=_answer(record, dialects),
        dialect=_member(record, "dialect", str),
        model=_member(record, "model", str),
        decision=_member(record, "decision", str),
        created_s=_seconds(record, "created_s"),
        expires_s=_seconds(record, "expires_s"),
        tags=_tags(record),
    )


def _readable(text: str) -> str:
    # A lone surrogate, which JSON in UTF-8 cannot carry.
    return text.encode("utf-8", "replace").decode()


def _said(entry: Entry, dialects: Mapping[str, AnswerDialect]) -> JsonValue:
    """The facts of the answer, the same in every dialect."""
    dialect = dialects.get(entry.dialect)
    if dialect is None:
        return None
    try:
        facts = dialect.restore(decode_document(entry.answer)).facts
    except ValueError:
        return None
    return {
        "id": facts.id,
        "model": facts.model,
        "choices": [_said_by(choice) for choice in facts.choices],
        "usage": None if facts.usage is None else asdict(facts.usage),
    }


def _said_by(choice: Choice) -> JsonValue:
    return {
        "content": choice.text,
        "finish_reason": choice.finish_reason,
        "tool_calls": [asdict(call) for call in choice.tool_calls],
    }


def _document(answer: bytes) -> JsonValue:
    try:
        return decode_document(answer)
    except ValueError:
        return None


# ── reading ───────────────────────────────────────────────────────────────────────────────────


def _member(record: Mapping[str, JsonValue], name: str, kind: type[_Value]) -> _Value:
    value = record.get(name)
    if not isinstance(value, kind):
        raise ValueError(f"{name}: missing or of the wrong type")  # noqa: TRY004 - what the file says
    return value


def _digest(record: Mapping[str, JsonValue], name: str) -> str:
    value = _member(record, name, str)
    if not _DIGEST.fullmatch(value):
        raise ValueError(f"{name}: must be {DIGEST_CHARS} hex digits")
    return value


def _seconds(record: Mapping[str, JsonValue], name: str) -> float:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name}: must be a number of seconds")
    return float(value)


def _tags(record: Mapping[str, JsonValue]) -> tuple[str, ...]:
    tags = [tag for tag in _member(record, "tags", list) if isinstance(tag, str)]
    if len(tags) != len(_member(record, "tags", list)):
        raise ValueError("tags: must be texts")
    return tuple(tags)


def _answer(record: Mapping[str, JsonValue], dialects: Mapping[str, AnswerDialect]) -> bytes:
    dialect, document = dialects.get(_member(record, "dialect", str)), record.get("answer")
    if dialect is None:
        raise ValueError("dialect: not known")
    try:
        return encode_answer(dialect.restore(document if isinstance(document, dict) else {}))
    except ValueError:
        raise ValueError("answer: missing or damaged") from None


def _vector(record: Mapping[str, JsonValue], dim: int) -> Vector | None:
    if record.get("vector") is None:
        return None
    try:
        packed = base64.b64decode(_member(record, "vector", str), validate=True)
        vector = np.frombuffer(packed, _VECTOR_TYPE).astype(np.float32)
    except ValueError:
        raise ValueError("vector: damaged") from None
    if len(vector) != dim:
        raise ValueError(f"vector: of length {len(vector)}, but the encoder gives {dim}")
    if not abs(float(np.linalg.norm(vector)) - 1.0) <= _LENGTH_TOLERANCE:
        raise ValueError("vector: not of unit length")
    return vector
