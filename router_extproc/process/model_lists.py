"""Asks the pools for their lists of models, while a worker runs.

One round every minute, all pools at once; of a pool, its endpoints one after the other until one answers.
What a pool cannot say (it wants a key, it has no such path) is not known, and nothing is missing for it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Final

import aiohttp

from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.model import Config
from router_extproc.llm.listed_model import ListedModel
from router_extproc.process.alongside import alongside
from router_extproc.process.pool_tls import PoolTls, Trust
from router_extproc.routing.pool_models import PoolModels

PATH: Final = "/v1/models"
ROUND_S: Final = 60.0
#: After a round in which a pool did not answer: it may just be starting.
SOON_S: Final = 5.0
ASK_S: Final = 5.0
#: Of a list; a longer one is not read.
LIST_BYTES_MAX: Final = 512 * 1024
_OK: Final = 200


class ModelLists:
    """Keeps what the pools list."""

    def __init__(self, config: Config, models: PoolModels) -> None:
        self._pools: Final = config.envoy.clusters
        self._models: Final = models
        self._tls: Final = PoolTls("model lists")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Ask in the background inside the block."""
        async with aiohttp.ClientSession(trust_env=False) as session, alongside(self._ask_on(session)):
            yield

    async def _ask_on(self, session: aiohttp.ClientSession) -> None:
        while True:
            told = await asyncio.gather(
                *(self._ask(name, pool, session) for name, pool in self._pools.items())
            )
            await asyncio.sleep(ROUND_S if all(told) else SOON_S)

    async def _ask(self, name: str, pool: EnvoyCluster, session: aiohttp.ClientSession) -> bool:
        """Whether an endpoint has answered at all."""
        for endpoint in pool.endpoints:
            with suppress(TimeoutError, OSError, aiohttp.ClientError, ValueError, RecursionError):
                async with asyncio.timeout(ASK_S):
                    models = await _list_of(_url(endpoint, pool), await self._tls.of(pool), session)
                if models is not None:
                    self._models.note(name, models)
                return True
        return False


def _url(endpoint: str, pool: EnvoyCluster) -> str:
    return f"{'https' if pool.tls else 'http'}://{endpoint}{PATH}"


async def _list_of(url: str, tls: Trust, session: aiohttp.ClientSession) -> list[ListedModel] | None:
    """What is listed there; None: nothing that can be read."""
    async with session.get(url, ssl=tls, allow_redirects=False) as answer:
        body = await answer.content.read(LIST_BYTES_MAX + 1)
        while len(body) <= LIST_BYTES_MAX and (more := await answer.content.read(LIST_BYTES_MAX)):
            body += more
        if answer.status != _OK or len(body) > LIST_BYTES_MAX:
            return None
    return list(read_list(body))


def read_list(body: bytes) -> Iterator[ListedModel]:
    """The models of a list; what is none is left out.

    Raises:
        ValueError: no JSON.
    """
    document = json.loads(body)
    entries = document.get("data") if isinstance(document, dict) else None
    for entry in entries if isinstance(entries, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("id"), str):
            window = entry.get("max_model_len")
            known = isinstance(window, int) and not isinstance(window, bool) and window > 0
            yield ListedModel(entry["id"], window if known else None)
