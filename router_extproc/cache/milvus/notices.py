"""What sidecars tell each other through Milvus, as JSON in a row: of a purge, and of a batch of writes.

A notice of another form is skipped: a newer version may have written it during an upgrade, and a purge with
a condition that is unknown here would delete too much.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from router_extproc.cache.base import Fingerprint, Selector


@dataclass(frozen=True, slots=True)
class WriteNotice:
    """A batch that was written."""

    #: The worker that wrote it.
    writer: str
    written: tuple[Fingerprint, ...]


_SELECTORS: Final = TypeAdapter(Selector)
_WRITES: Final = TypeAdapter(WriteNotice)


def purge_notice(selector: Selector) -> str:
    """The text that tells of a purge."""
    return _SELECTORS.dump_json(selector).decode()


def read_purge(text: str) -> Selector | None:
    """What was purged; None: not a notice of ours."""
    try:
        return _SELECTORS.validate_json(text, extra="forbid")
    except ValidationError:
        return None


def write_notice(notice: WriteNotice) -> str:
    """The text that tells of a batch of writes."""
    return _WRITES.dump_json(notice).decode()


def read_writes(text: str) -> WriteNotice | None:
    """What was written, and by whom; None: not a notice of ours."""
    try:
        return _WRITES.validate_json(text, extra="forbid")
    except ValidationError:
        return None
