"""A request's ids as they may be logged: Envoy's request id and the W3C trace parent.

Both are untrusted text: an Envoy may be told to keep a client's request id, and none looks at the trace
parent. What has another form than these is as good as absent.
Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from router_extproc.protocol.headers import Headers, Pair

REQUEST_ID_HEADER: Final = "x-request-id"
TRACE_PARENT_HEADER: Final = "traceparent"
#: Envoy's own are UUIDs of 36; other gateways' are a little longer.
REQUEST_ID_CHARS_MAX: Final = 64

_NAMES: Final = frozenset({REQUEST_ID_HEADER, TRACE_PARENT_HEADER})
_REQUEST_ID: Final = re.compile(rf"[A-Za-z0-9._:-]{{1,{REQUEST_ID_CHARS_MAX}}}").fullmatch
#: Version, trace id, parent (span) id, flags; a version after 00 may have more behind a dash.
_TRACE_PARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-[!-~]{0,128})?"
).fullmatch


@dataclass(frozen=True, slots=True)
class RequestIds:
    """By which the lines and spans of one request are found; "" for what it has not."""

    request_id: str = ""
    trace_id: str = ""
    #: The caller's span: the parent of what happens here.
    span_id: str = ""


NO_IDS: Final = RequestIds()


def read_request_ids(headers: Headers) -> RequestIds:
    """The ids of a request's headers; repeated ones are ambiguous and so left out."""
    found = [pair for pair in headers if pair[0] in _NAMES]  # one pass: every request takes it
    if not found:
        return NO_IDS
    request_id, trace_parent = _single(found, REQUEST_ID_HEADER), _single(found, TRACE_PARENT_HEADER)
    trace_id, span_id = _read_trace_parent(trace_parent)
    return RequestIds(request_id if _REQUEST_ID(request_id) else "", trace_id, span_id)


def _single(pairs: Iterable[Pair], name: str) -> str:
    values = [value for found, value in pairs if found == name]
    return values[0] if len(values) == 1 else ""


def _read_trace_parent(value: str) -> tuple[str, str]:
    match = _TRACE_PARENT(value)
    if match is None or (match[1] == "00" and match[4] is not None):
        return "", ""
    return match[2], match[3]
