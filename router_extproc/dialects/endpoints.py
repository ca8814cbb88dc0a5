"""Which dialect's inference request a method and path are."""

from __future__ import annotations

from collections.abc import Iterable

from router_extproc.dialects.base import Dialect, Endpoint


def inference_endpoints(dialect: Dialect) -> list[Endpoint]:
    """The endpoints whose requests are decided on; listings and counts pass untouched."""
    return [endpoint for endpoint in dialect.endpoints if endpoint.kind == "inference"]


def served_by(dialects: Iterable[Dialect], method: str, path: str) -> Dialect | None:
    """The dialect whose inference request this is; None: it passes untouched.

    `path` may carry a query string, and slashes at its end: servers that fold them would answer it.
    """
    spelled = path.partition("?")[0].rstrip("/")
    for dialect in dialects:
        for endpoint in inference_endpoints(dialect):
            if (endpoint.method, endpoint.path) == (method, spelled):
                return dialect
    return None
