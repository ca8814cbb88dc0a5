"""What operators ask of the cache over HTTP, read into values.

An unknown member is an error: a selector that is misread would purge too much. Messages name members and
never repeat what was said to a model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.admin.cache.members import (
    DIGEST_BEGINS,
    Unreadable,
    hex_of,
    read_json,
    read_object,
    seconds_of,
    take_flag,
    text_of,
)
from router_extproc.cache.base import EVERYTHING, Scope, Selector
from router_extproc.cache.digest import DIGEST_CHARS
from router_extproc.cache.listing import Place
from router_extproc.llm.answer import JsonValue

#: Entries on one page.
PAGE_ENTRIES_MAX: Final = 1000
PAGE_ENTRIES: Final = 50
#: Lines of one import or warming; send more in several.
LINES_MAX: Final = 1000

_NAMES: Final = ("model", "decision", "tag")
_SELECTING: Final = frozenset({"entry", "scope", "older_than_s", *_NAMES})


@dataclass(frozen=True, slots=True)
class Purge:
    """What is to be purged."""

    selector: Selector
    #: Count only.
    dry_run: bool


@dataclass(frozen=True, slots=True)
class Listing:
    """Which page of which entries."""

    selector: Selector
    limit: int
    after: Place | None


def read_selector(members: Mapping[str, JsonValue], *, now_s: float) -> Selector:
    """The selector; `older_than_s` counts from now.

    Raises:
        Unreadable: an unknown member, or one of the wrong form.
    """
    unknown = sorted(set(members) - _SELECTING)
    if unknown:
        raise Unreadable(f"unknown: {', '.join(unknown)}")
    entry, scope = hex_of(members, "entry"), hex_of(members, "scope")
    if scope is not None and len(scope) != DIGEST_CHARS:
        raise Unreadable(f"scope: must be {DIGEST_CHARS} hex digits")
    age_s = seconds_of(members, "older_than_s")
    return Selector(
        fingerprint=entry,
        scope=None if scope is None else Scope(scope),
        created_max_s=None if age_s is None else now_s - age_s,
        **{name: text_of(members, name) for name in _NAMES},
    )


def read_purge(body: bytes, *, now_s: float) -> Purge:
    """The purge.

    Raises:
        Unreadable: not JSON, or nothing is named: everything must be asked for by `"all": true`.
    """
    members = read_object(body)
    dry_run, everything = take_flag(members, "dry_run"), take_flag(members, "all")
    selector = read_selector(members, now_s=now_s)
    if everything != (selector == EVERYTHING):
        raise Unreadable("name what to purge, or ask for all; not both")
    return Purge(selector, dry_run)


def read_feedback(body: bytes, *, now_s: float) -> Selector:
    """The entry whose answer is called wrong.

    Raises:
        Unreadable: not JSON, or not one entry named by its fingerprint.
    """
    members = read_object(body)
    if members.pop("verdict", None) != "wrong" or set(members) != {"entry"}:
        raise Unreadable('must be {"entry": the first digits of its fingerprint, "verdict": "wrong"}')
    return read_selector(members, now_s=now_s)


def read_listing(query: Mapping[str, str], *, now_s: float) -> Listing:
    """The page asked for.

    Raises:
        Unreadable: see `read_selector`.
    """
    members: dict[str, JsonValue] = dict(query)
    after = members.pop("after", None)
    members.pop("limit", None)
    selector = read_selector(members, now_s=now_s)
    return Listing(selector, read_limit(query), None if after is None else _place(str(after)))


def read_limit(query: Mapping[str, str]) -> int:
    """How many entries are asked for.

    Raises:
        Unreadable: not a number, or too many.
    """
    limit = query.get("limit", str(PAGE_ENTRIES))
    if not (limit.isdecimal() and 1 <= int(limit[:9]) <= PAGE_ENTRIES_MAX):
        raise Unreadable(f"limit: must be 1 to {PAGE_ENTRIES_MAX}")
    return int(limit)


def write_place(place: Place | None) -> str | None:
    """A place as `after` of the next page."""
    return None if place is None else f"{place[0]!r}-{place[1]}"


def read_lines(body: bytes) -> Iterator[tuple[int, JsonValue | Unreadable]]:
    """Each line that is not empty with its number from 1, or why it is no JSON.

    Raises:
        Unreadable: too many lines.
    """
    lines = body.split(b"\n")
    if len(lines) > LINES_MAX + 1:
        raise Unreadable(f"more than {LINES_MAX} lines: send them in several requests")
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield number, read_json(line)


# ── members ───────────────────────────────────────────────────────────────────────────────────


def _place(text: str) -> Place:
    created, separator, fingerprint = text.rpartition("-")
    try:
        place = float(created), fingerprint
    except ValueError:
        raise Unreadable("after: not a place that a page named") from None
    if not separator or not DIGEST_BEGINS.fullmatch(fingerprint):
        raise Unreadable("after: not a place that a page named")
    return place


# ── known answers ─────────────────────────────────────────────────────────────────────────────
