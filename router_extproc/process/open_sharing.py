"""Sharing as part of a worker: who keeps, who answers, and what happens when the worker stops."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

from router_extproc.config.model import Config
from router_extproc.process.addresses import WorkerAddress
from router_extproc.process.alongside import alongside
from router_extproc.process.kept_state import KeptState
from router_extproc.process.sharing import SHARE_S, Keeper, Member, SharedValue

#: For what a stopping worker has recorded to reach the keeper, in seconds: it asks within a round.
HAND_OVER_S: Final = 10 * SHARE_S


@asynccontextmanager
async def keeping(values: Sequence[SharedValue], config: Config, own: WorkerAddress) -> AsyncIterator[None]:
    """Be the keeper inside the block: take back what was kept, order what workers record, and keep it."""
    async with AsyncExitStack() as stack:
        if config.state_dir is not None:
            state = KeptState(Path(config.state_dir), values)
            state.read()
            stack.push_async_callback(state.write)
            await stack.enter_async_context(alongside(state.run()))
        if config.workers > 1:
            peers = own.others(config)
            keeper = Keeper(values, tuple(peers.sockets), peers.shared)
            # The first round fetches what members have recorded last, the second one lets them go.
            stack.push_async_callback(keeper.exchange)
            stack.push_async_callback(keeper.exchange)
            await stack.enter_async_context(alongside(keeper.run()))
        yield


@asynccontextmanager
async def answering(member: Member) -> AsyncIterator[None]:
    """Be a member inside the block; it ends once the keeper has what was recorded, or after HAND_OVER_S."""
    try:
        yield
    finally:
        await member.handed_over(HAND_OVER_S)
