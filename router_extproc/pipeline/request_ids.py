"""When an exchange began, and the ids by which it is found again: in both reports and in the write token.

The ids are untrusted text: an Envoy may be configured to keep a client's request id, and none checks the
trace parent. Text of another form counts as absent.
Source: https://www.w3.org/TR/trace-context/#traceparent-header
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from router_extproc.protocol.headers import Headers, Pair
from router_extproc.protocol.names import REQUEST_ID_HEADER

TRACE_PARENT_HEADER: Final = "traceparent"
#: Envoy's own are UUIDs of 36; other gateways' are a little longer.
REQUEST_ID_CHARS_MAX: Final = 64

_NAMES: Final = frozenset({REQUEST_ID_HEADER, TRACE_PARENT_HEADER})
_REQUEST_ID: Final = re.compile(rf"[A-Za-z0-9._:-]{{1,{REQUEST_ID_CHARS_MAX}}}").fullmatch
#: Version, trace id, parent (span) id, flags; a version after 00 may have more behind a dash.
_TRACE_PARENT: Final = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-[!-~]{0,128})?"
).fullmatch
_SAMPLED_FLAG: Final = 0x01


@dataclass(frozen=True, slots=True)
class RequestIds:
    """The ids of one request; "" where it has none."""

    request_id: str = ""
    trace_id: str = ""
    #: The caller's span: the parent of what happens here.
    span_id: str = ""
    #: The caller records this trace.
    sampled: bool = False


NO_IDS: Final = RequestIds()


@dataclass(frozen=True, slots=True)
class ExchangeStart:
    """One exchange as it began."""

    #: When the request's headers came, wall clock.
    started_s: float
    ids: RequestIds = NO_IDS


#: Of a request that no client sent: one that is explained, or that the cache is warmed with.
NO_EXCHANGE: Final = ExchangeStart(0.0)


def read_request_ids(headers: Headers) -> RequestIds:
    """The ids of a request's headers; repeated ones are ambiguous and so left out."""
    found = [pair for pair in headers if pair[0] in _NAMES]  # one pass: every request takes it
    if not found:
        return NO_IDS
    request_id, trace_parent = _single(found, REQUEST_ID_HEADER), _single(found, TRACE_PARENT_HEADER)
    trace_id, span_id, sampled = _read_trace_parent(trace_parent)
    return RequestIds(request_id if _REQUEST_ID(request_id) else "", trace_id, span_id, sampled)


def _single(pairs: Iterable[Pair], name: str) -> str:
    values = [value for found, value in pairs if found == name]
    return values[0] if len(values) == 1 else ""


def _read_trace_parent(value: str) -> tuple[str, str, bool]:
    match = _TRACE_PARENT(value)
    if match is None or (match[1] == "00" and match[5] is not None):
        return "", "", False
    return match[2], match[3], bool(int(match[4], 16) & _SAMPLED_FLAG)
