"""Envoy's messages on one stream, in their order, with a look at whether more can come.

No message is lost, whoever was waiting for it, and none is read before it is needed.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable
from typing import Final, TypeVar

T = TypeVar("T")


class Inbox:
    """The messages of one stream; not for use by several tasks."""

    def __init__(self, messages: AsyncIterator[bytes]) -> None:
        self._messages: Final = aiter(messages)
        self._ahead: asyncio.Future[bytes | None] | None = None

    async def next(self) -> bytes | None:
        """The next message; None: Envoy has closed its side."""
        if self._ahead is None:
            return await anext(self._messages, None)
        received = await self._ahead
        self._ahead = None
        return received

    async def while_open(self, work: Awaitable[T]) -> T | None:
        """The result of the work, or None when Envoy closes the stream before: it is cancelled then.

        A message that comes meanwhile is kept for `next`.
        """
        working = asyncio.ensure_future(work)
        if self._ahead is None:
            self._ahead = asyncio.ensure_future(_read(self._messages))
        try:
            await asyncio.wait((working, self._ahead), return_when=asyncio.FIRST_COMPLETED)
            if working.done() or self._ahead.result() is not None:
                return await working
            return None
        finally:
            working.cancel()
            await asyncio.wait((working,))

    def close(self) -> None:
        """Nobody reads any more."""
        if self._ahead is not None:
            self._ahead.cancel()


async def _read(messages: AsyncIterator[bytes]) -> bytes | None:
    return await anext(messages, None)
