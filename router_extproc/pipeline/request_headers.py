"""Checks what the headers of a request announce, before Envoy is asked for its body."""

from __future__ import annotations

from router_extproc.errors import HeadersTooLarge, MalformedRequest, RequestTooLarge
from router_extproc.pipeline.coded_bodies import TOO_LARGE, coding_of
from router_extproc.protocol.events import RequestStarted


def check_headers(event: RequestStarted) -> str:
    """The coding of the body.

    Raises:
        RequestError: Envoy need not ask for the body.
    """
    if not event.headers.leave_room:
        raise HeadersTooLarge("The request has more headers than this gateway accepts.")
    if event.too_large:
        raise RequestTooLarge(TOO_LARGE)
    if event.last:
        raise MalformedRequest("The request has no body.")
    return coding_of(event.headers.get("content-encoding") or "")
