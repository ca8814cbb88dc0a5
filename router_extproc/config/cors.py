"""`envoy.cors`: which pages may ask from a browser, and the form of an origin."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import Field

from router_extproc.errors import ConfigError
from router_extproc.protocol.names import ANY_ORIGIN
from router_extproc.section import Section

#: As browsers write it: no path, no slash at the end, all in lower case.
_ORIGIN: Final = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9._~\[\]:-]+").fullmatch


class Cors(Section):
    """Which pages may ask from a browser (Cross-Origin Resource Sharing)."""

    #: SCHEME://HOST[:PORT] of each page, or "*" for every page.
    allow_origins: tuple[str, ...] = Field(min_length=1)
    #: Whether a page may have the browser add cookies and client certificates.
    allow_credentials: bool = False


def check_cors(path: str, cors: Cors | None) -> Iterator[ConfigError]:
    """Every origin that no browser sends, and what would open more than was meant."""
    if cors is None:
        return
    for index, origin in enumerate(cors.allow_origins):
        if origin != ANY_ORIGIN and not _ORIGIN(origin):
            problem = f"must be an origin such as https://app.example, or '*', got {origin!r}"
            yield ConfigError(f"{path}.allow_origins[{index}]", problem)
        elif origin == ANY_ORIGIN and len(cors.allow_origins) > 1:
            yield ConfigError(f"{path}.allow_origins[{index}]", "'*' already allows the others")
    if cors.allow_credentials and ANY_ORIGIN in cors.allow_origins:
        problem = "with '*', any page could ask with its visitor's cookies: list the origins"
        yield ConfigError(f"{path}.allow_credentials", problem)
