"""What may differ between a client's way with the router and without it; everything else must not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
from api_pool import Received

#: Of a connection, not of a request; Envoy has its own connections.
_OF_A_CONNECTION: Final = frozenset({"host", "connection", "transfer-encoding", "keep-alive", "te"})
#: What Envoy and the router add on the way to a pool.
ADDED_HEADERS: Final = ("x-router-", "x-envoy-", "x-forwarded-", "x-request-id")
#: What a second answer has of its own: an API dates and names each, and the router says what was cached.
_OWN: Final = frozenset(
    {"id", "created", "created_at", "completed_at", "item_id", "usage", "response_metadata"}
)
#: Members that hold the words of an answer, whole or in pieces.
_WORDS: Final = frozenset({"content", "text", "delta", "arguments", "partial_json", "thinking", "name"})


def request_differences(direct: Received, through: Received) -> Iterator[str]:
    """How a request reached the pool otherwise than without the router."""
    if (direct.method, direct.path) != (through.method, through.path):
        yield f"{direct.method} {direct.path} became {through.method} {through.path}"
    if not _same_body(direct, through):
        yield f"the body {direct.body[:2000]!r} became {through.body[:2000]!r}"
    for name in sorted({*direct.headers, *through.headers} - _OF_A_CONNECTION):
        before, after = direct.headers.get(name), through.headers.get(name)
        if before != after and not _may_differ(name, before):
            yield f"header {name}: {before!r} became {after!r}"


def _same_body(direct: Received, through: Received) -> bool:
    kind = direct.headers.get("content-type", "")
    if not kind.startswith("multipart/"):
        return direct.body == through.body
    # The client draws a boundary each time.
    first, second = (each.headers["content-type"].partition("boundary=")[2] for each in (direct, through))
    return direct.body.replace(first.encode(), b"") == through.body.replace(second.encode(), b"")


def _may_differ(name: str, before: str | None) -> bool:
    if name in {"authorization", "x-api-key", "content-type"}:
        return True  # Each way has a credential of its own; boundaries are compared with the body.
    if name == "accept-encoding":
        return True  # The router asks for answers that it can read.
    return before is None and name.startswith(ADDED_HEADERS)


def error_kind(outcome: Mapping[str, Any]) -> tuple[Any, Any]:
    """The exception and the status, without the words."""
    return outcome.get("error"), outcome.get("status")


def without_own(value: Any) -> Any:
    """The value without what every answer has of its own."""
    if isinstance(value, dict):
        return {name: without_own(each) for name, each in value.items() if name not in _OWN}
    return [without_own(each) for each in value] if isinstance(value, list) else value


def words(value: Any) -> str:
    """All words of an answer in their order: the same, however a stream is cut into pieces."""
    return "".join(_words(value))


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if isinstance(each, str):
                yield from [each] * (name in _WORDS)
            else:
                yield from _words(each)
    elif isinstance(value, list):
        for each in value:
            yield from [each] if isinstance(each, str) else _words(each)


def shown(outcome: Mapping[str, Any]) -> str:
    """An outcome for a message of a failed test."""
    return orjson.dumps(outcome).decode()[:3000]
