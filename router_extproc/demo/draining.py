"""Lets Envoy finish what it has begun: it ends at once when it is told to stop, and cuts every answer.

deploy/drain-envoy.sh does the same where only a shell is at hand.
Source: https://www.envoyproxy.io/docs/envoy/v1.40.0/intro/arch_overview/operations/draining
"""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

import httpx

#: For requests under way to be answered.
DRAIN_S: Final = 20.0
#: For one answer of Envoy's admin interface.
_ASK_S: Final = 2.0
_LOOK_EVERY_S: Final = 0.1
#: Requests of clients; those to the admin interface itself do not count.
_ACTIVE: Final = re.compile(r"^http\.(?!admin\.)\S*downstream_rq_active: (\d+)$", re.MULTILINE)


async def drain_envoy(admin: Path, at_once: asyncio.Event) -> int:
    """Refuse new connections, wait for requests under way: for DRAIN_S, or until `at_once` is set.

    `admin` is the socket of Envoy's admin interface. Returns how many requests are left; an Envoy that does
    not answer has none.
    """
    transport = httpx.AsyncHTTPTransport(uds=str(admin))
    try:
        async with httpx.AsyncClient(transport=transport, base_url="http://envoy", timeout=_ASK_S) as client:
            # The first tells clients to connect elsewhere, the second closes the port.
            for path in ("/drain_listeners?graceful", "/drain_listeners"):
                (await client.post(path)).raise_for_status()
            return await _until_idle(client, at_once)
    except httpx.HTTPError:
        return 0


async def _until_idle(client: httpx.AsyncClient, at_once: asyncio.Event) -> int:
    left = await _active(client)
    try:
        async with asyncio.timeout(DRAIN_S):
            while left and not at_once.is_set():
                await asyncio.sleep(_LOOK_EVERY_S)
                left = await _active(client)
    except TimeoutError:
        pass
    return left


async def _active(client: httpx.AsyncClient) -> int:
    answer = await client.get("/stats", params={"filter": "downstream_rq_active"})
    return sum(int(count) for count in _ACTIVE.findall(answer.text))
