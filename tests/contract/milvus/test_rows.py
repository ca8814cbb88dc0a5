"""Entries as rows: whole or not at all."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache.base import Entry
from router_extproc.cache.milvus.rows import Row, from_row, output_fields, to_row
from router_extproc.cache.milvus.schema import ANSWER_PIECES_MAX, TAGS_MAX, VARCHAR_BYTES_MAX
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry, unit_vector

ENTRY = made_entry("a", now_s=1.5, vector=unit_vector(1.0, 2.0))


def row_of(entry: Entry) -> Row | None:
    return to_row(entry, vector_field="embedding", dim=CHECK_DIM)


def written(entry: Entry) -> Entry | None:
    row = row_of(entry)
    assert row is not None
    assert set(row) == set(output_fields("embedding"))
    return from_row(row, vector_field="embedding")


def same(one: Entry | None, other: Entry) -> bool:
    if one is None or (one.vector is None) != (other.vector is None):
        return False
    vectors = one.vector is None or other.vector is None or np.array_equal(one.vector, other.vector)
    return bool(vectors) and replace(one, vector=None) == replace(other, vector=None)


@given(
    st.binary(max_size=200),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=50),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=10), max_size=4).map(tuple),
)
def test_every_entry_comes_back_whole(answer: bytes, prompt: str, tags: tuple[str, ...]) -> None:
    entry = replace(ENTRY, answer=answer, prompt=prompt, tags=tags)
    assert same(written(entry), entry)


def test_entry_without_vector_comes_back_without() -> None:
    entry = replace(ENTRY, vector=None, prompt="")
    assert same(written(entry), entry)


def test_long_answer_is_cut_into_pieces_and_joined() -> None:
    entry = replace(ENTRY, answer=os.urandom(3 * VARCHAR_BYTES_MAX))
    row = row_of(entry)
    assert row is not None
    assert len(row["answer"]) > 3
    assert all(len(piece) <= VARCHAR_BYTES_MAX for piece in row["answer"])
    assert same(from_row(row, vector_field="embedding"), entry)


@pytest.mark.parametrize(
    "entry",
    [
        replace(ENTRY, answer=os.urandom(ANSWER_PIECES_MAX * VARCHAR_BYTES_MAX)),
        replace(ENTRY, prompt="é" * (VARCHAR_BYTES_MAX // 2 + 1)),
        replace(ENTRY, prompt="\ud800"),
        replace(ENTRY, tags=("t",) * (TAGS_MAX + 1)),
        replace(ENTRY, tags=("t" * 257,)),
        replace(ENTRY, model="m" * 513),
    ],
    ids=["answer", "prompt bytes", "lone surrogate", "tags", "tag", "model"],
)
def test_entry_that_no_row_can_hold_is_not_written(entry: Entry) -> None:
    assert row_of(entry) is None


@pytest.mark.parametrize(
    "damage",
    [
        {"answer": []},
        {"answer": ["not base64!"]},
        {"answer": ["AAAA"]},
        {"answer": None},
        {"prompt": ...},
        {"embedding": "text"},
    ],
    ids=str,
)
def test_damaged_row_is_no_entry(damage: dict[str, object]) -> None:
    row = {**(row_of(ENTRY) or {}), **damage}
    row = {name: value for name, value in row.items() if value is not ...}
    assert from_row(row, vector_field="embedding") is None


def test_cut_answer_is_no_entry() -> None:
    """Half an answer must never be replayed."""
    row = dict(row_of(replace(ENTRY, answer=os.urandom(1000))) or {})
    row["answer"] = [row["answer"][0][:400]]
    assert from_row(row, vector_field="embedding") is None
