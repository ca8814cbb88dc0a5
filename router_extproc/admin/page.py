"""The dashboard as it is served: one file, and a policy that lets nothing else run or load."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from typing import Final

from aiohttp import web

from router_extproc.admin.replies import NO_FRAMES

_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)


async def dashboard(_request: web.Request) -> web.StreamResponse:
    """The page; it holds nothing that is not public."""
    text, policy = _page()
    headers = {
        "content-type": "text/html; charset=utf-8",
        "content-security-policy": policy,
        "cache-control": "no-cache",
    }
    return web.Response(body=text, headers=headers)


@cache
def _page() -> tuple[bytes, str]:
    """The file, and its Content-Security-Policy: only the script that stands in it runs."""
    text = resources.files("router_extproc.admin").joinpath("dashboard.html").read_bytes()
    scripts = " ".join(f"'sha256-{_digest(script)}'" for script in _SCRIPT.findall(text))
    loads = f"default-src 'none'; script-src {scripts}; style-src 'unsafe-inline'; connect-src 'self'"
    return text, f"{loads}; {NO_FRAMES}"


def _digest(script: bytes) -> str:
    return base64.b64encode(hashlib.sha256(script).digest()).decode()
