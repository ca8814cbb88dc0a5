"""The other workers, as worker 0 sees them: over a socket for each.

A worker that does not answer costs PEER_S at most and is left out; the next question reaches it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import orjson

from router_extproc.llm.answer import JsonValue

#: For one worker to answer.
PEER_S: Final = 1.0
PURGE_S: Final = 20.0
#: Where the keeper of shared values asks (`process.sharing`): over the workers' sockets only.
SHARED: Final = "/shared"
#: What it may send: the whole state of a worker that has just started.
SHARED_BYTES_MAX: Final = 64 * 1024 * 1024
#: A larger answer counts as none: a worker's metrics have some hundred lines.
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024


def socket_of(folder: Path, worker: int) -> Path:
    """Where a worker answers its peers."""
    return folder / f"{worker}.admin.sock"


@dataclass(frozen=True, slots=True)
class Peers:
    """Asks other workers' admin servers."""

    sockets: Mapping[int, Path]
    #: For one worker to purge: it waits for its backend.
    purge_s: float = PURGE_S

    async def metrics(self) -> dict[int, bytes | None]:
        """The Prometheus text of each worker; None: it does not answer."""
        return await self._ask_all("/metrics")

    async def ready(self) -> dict[int, bool]:
        """Which workers say they are ready."""
        return {worker: answer is not None for worker, answer in (await self._ask_all("/readyz")).items()}

    async def cache_states(self) -> dict[int, JsonValue]:
        """What each worker says of its cache; None: it does not answer."""
        answers = await self._ask_all("/cache")
        return {worker: _document(answer) for worker, answer in answers.items()}

    async def cache_reports(self) -> dict[int, JsonValue]:
        """What each worker says its hits saved; None: it does not answer."""
        answers = await self._ask_all("/cache/report")
        return {worker: _document(answer) for worker, answer in answers.items()}

    async def cache_evidence(self) -> dict[int, JsonValue]:
        """What each worker knows of false hits; None: it does not answer."""
        answers = await self._ask_all("/cache/evidence")
        return {worker: _document(answer) for worker, answer in answers.items()}

    async def shared(self, worker: int, message: bytes) -> bytes | None:
        """What one worker answers to the keeper of shared values; None: it does not answer."""
        return await _ask(self.sockets[worker], SHARED, message, timeout_s=PEER_S)

    async def purge(self, body: bytes) -> dict[int, JsonValue]:
        """What each worker says of a purge; None: it does not answer."""
        asking = (
            _ask(socket, "/cache/purge", body, timeout_s=self.purge_s) for socket in self.sockets.values()
        )
        answers = await asyncio.gather(*asking)
        return {worker: _document(answer) for worker, answer in zip(self.sockets, answers, strict=True)}

    async def _ask_all(self, path: str) -> dict[int, bytes | None]:
        answers = await asyncio.gather(*(_ask(socket, path) for socket in self.sockets.values()))
        return dict(zip(self.sockets, answers, strict=True))


def _document(answer: bytes | None) -> JsonValue:
    try:
        document: JsonValue = None if answer is None else orjson.loads(answer)
    except orjson.JSONDecodeError:
        return None
    return document


async def _ask(
    socket: Path, path: str, body: bytes | None = None, *, timeout_s: float = PEER_S
) -> bytes | None:
    """The body of a good answer, or None; where something was sent, any answer says how far it came."""
    timeout = aiohttp.ClientTimeout(total=timeout_s)
    connector = aiohttp.UnixConnector(path=str(socket))
    method, headers = ("GET", {}) if body is None else ("POST", {"content-type": "application/json"})
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.request(method, f"http://worker{path}", data=body, headers=headers) as answer,
        ):
            wanted = answer.ok or body is not None
            return await read_at_most(answer.content, ANSWER_BYTES_MAX) if wanted else None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None


async def read_at_most(content: aiohttp.StreamReader, bytes_max: int) -> bytes | None:
    """All of a body, in whatever pieces it comes; None: it is larger."""
    whole = bytearray()
    async for chunk in content.iter_any():
        whole += chunk
        if len(whole) > bytes_max:
            return None
    return bytes(whole)
