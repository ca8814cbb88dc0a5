"""Asks the endpoints of watched pools how they are, as Envoy's own health checks do, while a worker runs.

One round every `health.interval_s`, all endpoints at once, each within `health.timeout_s`; a round that has
lost and found pools logs each of them once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

import aiohttp

from router_extproc.address import read_tcp
from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.model import Config
from router_extproc.config.pools import FAILED_STATUS_MIN, PoolHealth
from router_extproc.process.alongside import alongside
from router_extproc.process.pool_tls import PoolTls, Trust
from router_extproc.routing.traffic import Traffic
from router_extproc.telemetry.logging import get_logger

#: How often changes that were not probed for (Envoy's word) are looked at.
IDLE_S: Final = 1.0
#: Rounds more than Envoy takes to use an endpoint again: a pool that we take for up while Envoy does not yet
#: would cost requests a 503.
BACK_LATER: Final = 2
#: Of pools whose health checks are off, a connection is asked for.
_CONNECT_ONLY: Final = PoolHealth()

_log = get_logger()


@dataclass(slots=True)
class Streak:
    """An endpoint's state: it changes after so many results in a row that say otherwise."""

    health: PoolHealth
    up: bool | None = None
    _against: int = field(default=0)

    def add(self, *, alive: bool) -> bool:
        """Take a result; returns the state. The first one counts at once."""
        if self.up is None:
            self.up = alive
        self._against = 0 if alive is self.up else self._against + 1
        back = self.health.healthy_threshold + BACK_LATER
        needed = back if alive else self.health.unhealthy_threshold
        if self._against >= needed:
            self.up, self._against = alive, 0
        return self.up


class PoolProbe:
    """Probes the pools that `traffic` watches, as far as the configuration has their endpoints."""

    def __init__(self, config: Config, traffic: Traffic) -> None:
        self._clusters: Final = config.envoy.clusters
        self._traffic: Final = traffic
        self._tls: Final = PoolTls("probes")
        #: Other pools are watched than when the probes began.
        self._other_pools: Final = asyncio.Event()

    def follow(self) -> None:
        """Probe the pools that `traffic` watches now."""
        self._other_pools.set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Probe in the background inside the block; asks nobody while no pool is watched."""
        async with (
            aiohttp.ClientSession(auto_decompress=False, trust_env=False) as session,
            alongside(self._follow(session)),
        ):
            yield

    async def _follow(self, session: aiohttp.ClientSession) -> None:
        """Probe, and begin anew whenever other pools are watched."""
        while True:
            self._other_pools.clear()
            watched = self._traffic.watched
            async with asyncio.TaskGroup() as tasks:
                probing = [tasks.create_task(work) for work in self._probes(session)]
                while watched == self._traffic.watched:
                    self._other_pools.clear()
                    await self._other_pools.wait()
                for task in probing:
                    task.cancel()

    def _probes(self, session: aiohttp.ClientSession) -> Iterator[Coroutine[None, None, None]]:
        if self._traffic.watched:
            yield self._tell()
        for name in self._traffic.watched:
            if name in self._clusters:
                yield self._watch(name, self._clusters[name], session)

    async def _watch(self, name: str, pool: EnvoyCluster, session: aiohttp.ClientSession) -> None:
        health = _CONNECT_ONLY if pool.health is False else pool.health
        ask = _asking(pool, health, session, self._tls)
        streaks = {endpoint: Streak(health) for endpoint in pool.endpoints}
        while True:
            results = await asyncio.gather(*(_in_time(ask(each), health.timeout_s) for each in streaks))
            up = [streak.add(alive=alive) for streak, alive in zip(streaks.values(), results, strict=True)]
            self._traffic.probed(name, up=any(up))
            log_changes(self._traffic.changes())
            await asyncio.sleep(health.interval_s)

    async def _tell(self) -> None:
        while True:
            await asyncio.sleep(IDLE_S)
            log_changes(self._traffic.changes())


def log_changes(changes: Mapping[str, bool]) -> None:
    """One line for each pool that was lost or is back."""
    for cluster, up in changes.items():
        if up:
            _log.warning("pool is back", cluster=cluster)
        else:
            _log.warning("pool lost: its fallback answers", cluster=cluster)


async def _in_time(asked: Awaitable[bool], timeout_s: float) -> bool:
    """False when it fails or takes longer, whatever the reason."""
    try:
        async with asyncio.timeout(timeout_s):
            return await asked
    except (TimeoutError, OSError, aiohttp.ClientError, ValueError):
        return False


def _asking(
    pool: EnvoyCluster, health: PoolHealth, session: aiohttp.ClientSession, authorities: PoolTls
) -> Callable[[str], Awaitable[bool]]:
    if pool.health is False:
        return _connects
    #: Once it could be read; a connection is used again only with the same one.
    tls: Trust | None = None

    async def ask(endpoint: str) -> bool:
        nonlocal tls
        tls = tls or await authorities.of(pool)
        url = f"{'https' if pool.tls else 'http'}://{endpoint}{health.path}"
        async with session.get(url, ssl=tls, allow_redirects=False) as answer:
            return answer.status < FAILED_STATUS_MIN

    return ask


async def _connects(endpoint: str) -> bool:
    address = read_tcp(endpoint)
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.close()
    return True
