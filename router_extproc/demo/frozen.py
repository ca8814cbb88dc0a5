"""A sidecar that runs and does not answer: killed, so that whoever waits for its end starts it again."""

from __future__ import annotations

import asyncio
from typing import Final, NoReturn

import httpx

from router_extproc.clock import SystemClock
from router_extproc.process.child import Child
from router_extproc.process.watch import BEAT_S, Patience, Silence, Watch

#: Longer than its own supervisor takes to replace a frozen worker, if it has one.
PATIENCE: Final = Patience(silent_s=30.0)


async def kill_when_frozen(
    child: Child, health: str, patience: Patience = PATIENCE, *, beat_s: float = BEAT_S
) -> NoReturn:
    """Ask the URL `health` each `beat_s`, until the child has ended or must be killed.

    Raises:
        ChildEnded: always.
    """
    watch = Watch(SystemClock(), patience)
    async with httpx.AsyncClient(timeout=BEAT_S, trust_env=False) as client:
        while watch.look(heard=await _answers(client, health)) is Silence.ACCEPTED:  # noqa: ASYNC110 - it is asked
            await asyncio.sleep(beat_s)
    child.kill()
    await child.watch()


async def _answers(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).is_success
    except httpx.HTTPError:
        return False
