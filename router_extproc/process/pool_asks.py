"""Sends requests of shadow evaluations to pools, past Envoy.

A pool's endpoints are tried one after the other until one connects; a request is never sent twice.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, Self

import aiohttp

from router_extproc.config.envoy import EnvoyCluster
from router_extproc.pipeline.evaluation.asking import ANSWER_BYTES_MAX, ASK_S, PoolFailed, PoolReply
from router_extproc.pipeline.token import EvaluationAsk
from router_extproc.process.pool_tls import AuthoritiesUnreadable, PoolTls, Trust

#: Seconds for a connection.
CONNECT_S: Final = 5.0


class PoolAsks:
    """Reaches the pools whose endpoints the configuration has."""

    def __init__(self, pools: Mapping[str, EnvoyCluster]) -> None:
        self._pools: Final = pools
        self._tls: Final = PoolTls("shadow evaluations")
        self._session: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Self]:
        """Pools can be asked inside the block."""
        limits = aiohttp.ClientTimeout(total=ASK_S, sock_connect=CONNECT_S)
        jar = aiohttp.DummyCookieJar()
        async with aiohttp.ClientSession(timeout=limits, trust_env=False, cookie_jar=jar) as session:
            self._session = session
            yield self

    async def ask(self, cluster: str, ask: EvaluationAsk) -> PoolReply:
        """The pool's answer.

        Raises:
            PoolFailed: there is none, or not within the time or size that are allowed.
        """
        pool, session = self._pools.get(cluster), self._session
        if pool is None or session is None:
            raise PoolFailed("no endpoint")
        try:
            tls = await self._tls.of(pool)
        except AuthoritiesUnreadable as error:
            raise PoolFailed(str(error)) from error
        for endpoint in pool.endpoints:
            try:
                return await _post(_url(endpoint, pool, ask), tls, ask, session)
            except aiohttp.ClientConnectorError:
                continue
            except (TimeoutError, OSError, aiohttp.ClientError, ValueError) as error:
                # Without its cause, whose text may quote a header.
                raise PoolFailed(type(error).__name__) from None
        raise PoolFailed("connection")


def _url(endpoint: str, pool: EnvoyCluster, ask: EvaluationAsk) -> str:
    return f"{'https' if pool.tls else 'http'}://{endpoint}{ask.path}"


async def _post(url: str, tls: Trust, ask: EvaluationAsk, session: aiohttp.ClientSession) -> PoolReply:
    headers = [*ask.headers, ("content-type", "application/json"), ("accept", "application/json")]
    async with session.post(url, data=ask.body, headers=headers, ssl=tls, allow_redirects=False) as answer:
        body = bytearray()
        async for piece in answer.content.iter_chunked(64 * 1024):
            body += piece
            if len(body) > ANSWER_BYTES_MAX:
                raise PoolFailed("too_large")
        return PoolReply(answer.status, answer.headers.get("content-type", ""), bytes(body))
