"""What operators ask of the cache over HTTP, read into values.

It does nothing of it. The rule it keeps: an unknown member is an error, for a selector that is
misread purges too much; messages name members and never repeat what was said to a model.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

import orjson

from router_extproc.cache.base import EVERYTHING, Scope, Selector
from router_extproc.cache.digest import DIGEST_CHARS
from router_extproc.cache.listing import Place
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.caching.warming import KnownAnswer

#: Entries on one page.
PAGE_ENTRIES_MAX: Final = 1000
PAGE_ENTRIES: Final = 50
#: Lines of one import or warming; send more in several.
LINES_MAX: Final = 1000

_HEX = re.compile(rf"[0-9a-f]{{1,{DIGEST_CHARS}}}")
_NAMES: Final = ("model", "decision", "tag")
_SELECTING: Final = frozenset({"entry", "scope", "older_than_s", *_NAMES})
_KNOWN: Final = frozenset(
    {"question", "system", "messages", "model", "request", "answer", "decision", "headers"}
)


class Unreadable(ValueError):
    """The question cannot be understood; its message may be shown."""


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
    entry, scope = _hex(members, "entry"), _hex(members, "scope")
    if scope is not None and len(scope) != DIGEST_CHARS:
        raise Unreadable(f"scope: must be {DIGEST_CHARS} hex digits")
    age_s = _number(members, "older_than_s")
    return Selector(
        fingerprint=entry,
        scope=None if scope is None else Scope(scope),
        created_max_s=None if age_s is None else now_s - age_s,
        **{name: _text(members, name) for name in _NAMES},
    )


def read_purge(body: bytes, *, now_s: float) -> Purge:
    """The purge.

    Raises:
        Unreadable: not JSON, or nothing is named: everything must be asked for by `"all": true`.
    """
    members = _object(body)
    dry_run, everything = _flag(members, "dry_run"), _flag(members, "all")
    selector = read_selector(members, now_s=now_s)
    if everything != (selector == EVERYTHING):
        raise Unreadable("name what to purge, or ask for all; not both")
    return Purge(selector, dry_run)


def read_complaint(body: bytes, *, now_s: float) -> Selector:
    """The entry whose answer is called wrong.

    Raises:
        Unreadable: not JSON, or not one entry named by its fingerprint.
    """
    members = _object(body)
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
            yield number, _json(line)


def read_known_answer(row: JsonValue, *, model: str, now_s: float) -> KnownAnswer:
    """A row of a file to warm from.

    Question and answer, messages with the answer last, or a whole request and its answer.

    model: what the client asks for, unless the row says so.

    Raises:
        Unreadable: not such a row.
    """
    if not isinstance(row, dict) or set(row) - _KNOWN:
        raise Unreadable(f"must be an object of {', '.join(sorted(_KNOWN))}")
    row = _without_messages(row, model)
    request = _request(row, model)
    answer = row.get("answer")
    if isinstance(answer, str):
        answer = _completion(answer, model=str(request.get("model")), now_s=now_s)
    if not isinstance(answer, dict):
        raise Unreadable("answer: must be a text or a chat completion")
    return KnownAnswer(_headers(row), orjson.dumps(request), orjson.dumps(answer), _text(row, "decision"))


# ── members ───────────────────────────────────────────────────────────────────────────────────


def _object(body: bytes) -> dict[str, JsonValue]:
    members = _json(body)
    if isinstance(members, Unreadable):
        raise members
    if not isinstance(members, dict):
        raise Unreadable("must be a JSON object")
    return members


def _json(text: bytes) -> JsonValue | Unreadable:
    try:
        value: JsonValue = orjson.loads(text)
    except orjson.JSONDecodeError:
        return Unreadable("not JSON")
    return value


def _flag(members: dict[str, JsonValue], name: str) -> bool:
    value = members.pop(name, False)
    if not isinstance(value, bool):
        raise Unreadable(f"{name}: must be true or false")
    return value


def _text(members: Mapping[str, JsonValue], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise Unreadable(f"{name}: must be a text")
    return value


def _hex(members: Mapping[str, JsonValue], name: str) -> str | None:
    value = _text(members, name)
    if value is not None and not _HEX.fullmatch(value):
        raise Unreadable(f"{name}: must be 1 to {DIGEST_CHARS} hex digits")
    return value


def _number(members: Mapping[str, JsonValue], name: str) -> float | None:
    value = members.get(name)
    if value is None:
        return None
    try:
        number = float(value) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        number = -1.0
    if isinstance(value, bool) or not 0.0 <= number < float("inf"):
        raise Unreadable(f"{name}: must be a number of seconds")
    return number


def _place(text: str) -> Place:
    created, separator, fingerprint = text.rpartition("-")
    try:
        place = float(created), fingerprint
    except ValueError:
        raise Unreadable("after: not a place that a page named") from None
    if not separator or not _HEX.fullmatch(fingerprint):
        raise Unreadable("after: not a place that a page named")
    return place


# ── known answers ─────────────────────────────────────────────────────────────────────────────


def _request(row: Mapping[str, JsonValue], model: str) -> dict[str, JsonValue]:
    request, question = row.get("request"), _text(row, "question")
    if (request is None) == (question is None):
        raise Unreadable("must have either question or request or messages")
    if question is not None:
        system = _text(row, "system")
        turns = [] if system is None else [("system", system)]
        messages: list[JsonValue] = [
            {"role": role, "content": text} for role, text in [*turns, ("user", question)]
        ]
        return {"model": _text(row, "model") or model, "messages": messages}
    if not isinstance(request, dict) or {"system", "model"} & set(row):
        raise Unreadable("request: must be an object, and system and model stand in it")
    return request


def _without_messages(row: dict[str, JsonValue], model: str) -> dict[str, JsonValue]:
    """A logged conversation as the request before its last message, and that message as the answer."""
    if "messages" not in row:
        return row
    if {"question", "system", "request", "answer"} & set(row):
        raise Unreadable("messages: the question and the answer stand in them")
    messages = row["messages"]
    last = messages[-1] if isinstance(messages, list) and messages else None
    if not isinstance(messages, list) or not isinstance(last, dict) or last.get("role") != "assistant":
        raise Unreadable("messages: must be a list that ends with the assistant's answer")
    request: dict[str, JsonValue] = {"model": _text(row, "model") or model, "messages": messages[:-1]}
    kept: dict[str, JsonValue] = {name: row[name] for name in ("decision", "headers") if name in row}
    return {**kept, "request": request, "answer": last.get("content")}


def _completion(text: str, *, model: str, now_s: float) -> dict[str, JsonValue]:
    message: JsonValue = {"role": "assistant", "content": text}
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": int(now_s),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }


def _headers(row: Mapping[str, JsonValue]) -> tuple[tuple[str, str], ...]:
    headers = row.get("headers", {})
    if not isinstance(headers, dict):
        raise Unreadable("headers: must be an object")
    return tuple((name.lower(), _text(headers, name) or "") for name in headers)
