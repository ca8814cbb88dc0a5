"""What `GET /v1/models` tells through Envoy changes with the configuration, without a restart."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path
from typing import Any  # JSON

import aiohttp

from router_extproc.config.read import read_config
from router_extproc.testing.pools import PoolAnswer, running_pool
from router_extproc.testing.stack import envoy_of
from tests.e2e.test_reload import LIMIT_S, Served, until

POOLS_OWN = b'{"object":"list","data":[{"id":"of-the-pool"}]}'


async def test_a_reload_changes_the_names_that_are_told_and_who_tells_them(tmp_path: Path) -> None:
    async with running_pool("pool") as pool, aiohttp.ClientSession() as session:
        pool.answer = PoolAnswer((POOLS_OWN,))
        with ExitStack() as stack:
            served = Served(tmp_path, 1, pool.address)
            stack.callback(served.stop)
            # In threads: meanwhile the pool, which lives here, answers Envoy's first health check.
            await asyncio.to_thread(until, served.ready)
            envoy = await asyncio.to_thread(stack.enter_context, envoy_of(read_config(served.file), tmp_path))

            async def told() -> set[str]:
                async with session.get(f"{envoy.url}/v1/models") as got:
                    models: dict[str, Any] = await got.json()
                    return {model["id"] for model in models["data"]}

            async def reloaded(text: str) -> str:
                served.file.write_text(text)
                return str((await asyncio.to_thread(served.post, "/policy/reload"))["result"])

            async with asyncio.timeout(LIMIT_S):
                while "auto" not in await told():  # noqa: ASYNC110 - Envoy tells nobody
                    await asyncio.sleep(0.05)
            assert {"auto", "small", "large"} <= await told()
            more = served.base.replace("[auto]", "[auto, best]")
            assert await reloaded(more) == "applied"
            assert "best" in await told()
            assert await reloaded(f"{more}model_list: pool\n") == "applied"
            assert await told() == {"of-the-pool"}
            assert await reloaded(served.base) == "applied"
            assert "auto" in await told()
            assert "best" not in await told()
