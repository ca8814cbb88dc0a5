"""The form of every answer of the admin port: JSON, and the headers that keep browsers careful."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import orjson
from aiohttp import web

#: What every policy of ours ends with: no page may hold ours, and ours sends no form anywhere.
NO_FRAMES: Final = "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
#: No answer is part of another page, guessed to be of another type, kept, or named to other servers.
_CAREFUL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "content-security-policy": f"default-src 'none'; {NO_FRAMES}",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
)


async def add_careful_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Add what an answer does not say itself, errors included; an `on_response_prepare` of aiohttp."""
    # Versions of what we are made of are nobody's business.
    response.headers["server"] = "router_extproc"
    for name, value in _CAREFUL.items():
        response.headers.setdefault(name, value)


def json_reply(value: object, *, status: int = 200) -> web.Response:
    """One JSON document with sorted keys and a line end."""
    body = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE | orjson.OPT_SORT_KEYS)
    return web.Response(body=body, status=status, content_type="application/json")
