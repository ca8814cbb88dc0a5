"""The other workers, as the one with the admin port sees them: over a socket for each.

It starts nothing. The rule it keeps: a worker that does not answer costs PEER_S at most and is left
out; the next scrape finds it again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp

#: For one worker to answer.
PEER_S: Final = 1.0
#: Larger answers are cut off: a worker's metrics have some hundred lines.
ANSWER_BYTES_MAX: Final = 4 * 1024 * 1024


def socket_of(folder: Path, worker: int) -> Path:
    """Where a worker answers its peers."""
    return folder / f"{worker}.admin.sock"


@dataclass(frozen=True, slots=True)
class Peers:
    """Asks other workers' admin servers."""

    sockets: Mapping[int, Path]

    async def metrics(self) -> list[bytes]:
        """The Prometheus text of each worker that answers."""
        answers = await self._ask_all("/metrics")
        return [answer for answer in answers.values() if answer is not None]

    async def ready(self) -> dict[int, bool]:
        """Which workers say they are ready."""
        return {worker: answer is not None for worker, answer in (await self._ask_all("/readyz")).items()}

    async def _ask_all(self, path: str) -> dict[int, bytes | None]:
        answers = await asyncio.gather(*(_ask(socket, path) for socket in self.sockets.values()))
        return dict(zip(self.sockets, answers, strict=True))


async def _ask(socket: Path, path: str) -> bytes | None:
    """The body of a good answer, or None."""
    timeout = aiohttp.ClientTimeout(total=PEER_S)
    connector = aiohttp.UnixConnector(path=str(socket))
    try:
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            session.get(f"http://worker{path}") as answer,
        ):
            return await answer.content.read(ANSWER_BYTES_MAX) if answer.ok else None
    except (aiohttp.ClientError, TimeoutError, OSError):
        return None
