"""Entries as rows of the collection, and back. An entry that would not come back byte for byte is refused."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np

from router_extproc.cache.base import Entry, Fingerprint, Partition, Scope
from router_extproc.cache.freshness import is_fresh
from router_extproc.cache.milvus.schema import (
    ANSWER_PIECES_MAX,
    COLUMNS,
    NAME_BYTES_MAX,
    TAG_BYTES_MAX,
    TAGS_MAX,
    VARCHAR_BYTES_MAX,
)
from router_extproc.clock import Clock

#: Compression that costs some ten microseconds; answers shrink to about a third.
_LEVEL = 1
#: A row that would unpack to more is not ours.
ANSWER_BYTES_MAX = 64 * 1024 * 1024

Row: TypeAlias = "Mapping[str, Any]"  # Any: column values as the client library types them


def to_row(entry: Entry, *, vector_field: str, dim: int) -> Row | None:
    """The row of an entry; None when a column cannot hold it."""
    answer = base64.b64encode(zlib.compress(entry.answer, _LEVEL)).decode("ascii")
    pieces = [answer[at : at + VARCHAR_BYTES_MAX] for at in range(0, len(answer), VARCHAR_BYTES_MAX)]
    if len(pieces) > ANSWER_PIECES_MAX or not _texts_fit(entry):
        return None
    return {
        "fingerprint": entry.fingerprint,
        "partition": entry.partition,
        "scope": entry.scope,
        "semantic": entry.vector is not None,
        "dialect": entry.dialect,
        "model": entry.model,
        "decision": entry.decision,
        "created": entry.created_s,
        "expires": entry.expires_s,
        "tags": list(entry.tags),
        "prompt": entry.prompt,
        "answer": pieces,
        vector_field: _placeholder(dim) if entry.vector is None else entry.vector,
    }


def from_row(row: Row, *, vector_field: str) -> Entry | None:
    """The entry of a row; None when it is not one that `to_row` made.

    Without the vector column in the row (search results leave it out) the vector comes from nowhere:
    the caller asks for it where it needs it.
    """
    try:
        return Entry(
            fingerprint=Fingerprint(row["fingerprint"]),
            partition=Partition(row["partition"]),
            scope=Scope(row["scope"]),
            vector=np.asarray(row[vector_field], dtype=np.float32) if row["semantic"] else None,
            prompt=row["prompt"],
            answer=_unpack(row["answer"]),
            dialect=row["dialect"],
            model=row["model"],
            decision=row["decision"],
            created_s=row["created"],
            expires_s=row["expires"],
            tags=tuple(row["tags"]),
        )
    except (KeyError, TypeError, ValueError, zlib.error, binascii.Error):
        return None


def output_fields(vector_field: str) -> list[str]:
    """The columns that `from_row` needs."""
    return [*COLUMNS, vector_field]


class RowReader:
    """Reads rows as entries; leaves out those that have expired or cannot be read."""

    def __init__(self, vector_field: str, clock: Clock) -> None:
        self._vector_field: Final = vector_field
        self._clock: Final = clock
        #: Rows that were left out because they could not be read.
        self.unreadable = 0

    def fresh(self, rows: Iterable[Row]) -> Iterator[Entry]:
        """The fresh entries of the rows."""
        now_s = self._clock.wall_s()
        for row in rows:
            entry = from_row(row, vector_field=self._vector_field)
            if entry is None:
                self.unreadable += 1
            elif is_fresh(entry, now_s):
                yield entry


def _unpack(pieces: Sequence[str]) -> bytes:
    unpacker = zlib.decompressobj()
    answer = unpacker.decompress(base64.b64decode("".join(pieces), validate=True), ANSWER_BYTES_MAX)
    if not unpacker.eof:
        raise ValueError("cut or too large")
    return answer


def _texts_fit(entry: Entry) -> bool:
    names = (entry.dialect, entry.model, entry.decision)
    return (
        _fits(entry.prompt, VARCHAR_BYTES_MAX)
        and all(_fits(name, NAME_BYTES_MAX) for name in names)
        and len(entry.tags) <= TAGS_MAX
        and all(_fits(tag, TAG_BYTES_MAX) for tag in entry.tags)
    )


def _fits(text: str, bytes_max: int) -> bool:
    try:
        return len(text.encode()) <= bytes_max
    except UnicodeEncodeError:  # a lone surrogate: protobuf could not carry it
        return False


def _placeholder(dim: int) -> list[float]:
    # Length 1 and not 0: the COSINE metric divides by the length. `semantic` keeps it out of searches.
    return [1.0] + [0.0] * (dim - 1)
