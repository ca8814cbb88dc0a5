"""Warnings of scopes by headers that no two requests share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.config.check_headers import scopes_of
from router_extproc.config.warnings.base import ConfigWarning, Subject

#: New with every request: made by Envoy, by a tracer or by the client's library.
_OF_ONE_REQUEST: Final = frozenset(
    {
        "b3", "content-length", "date", "idempotency-key", "traceparent", "tracestate", "x-amzn-trace-id",
        "x-b3-spanid", "x-b3-traceid", "x-cloud-trace-context", "x-correlation-id", "x-request-id",
    }
)  # fmt: skip


def warn_of_scope_headers(subject: Subject) -> Iterator[ConfigWarning]:
    """A scope that no second request falls into: the cache is never hit."""
    for path, scope in scopes_of(subject.config):
        for index, name in enumerate(scope.headers):
            if name.lower() in _OF_ONE_REQUEST:
                problem = f"'{name}' is another with every request: no answer would ever be found again"
                yield ConfigWarning(f"{path}.headers[{index}]", problem)
