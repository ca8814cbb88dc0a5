"""No message is lost, and a stream that closes ends what was done for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from router_extproc.server.inbox import Inbox


class Stream:
    """What Envoy sends, when the test lets it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def messages(self) -> AsyncIterator[bytes]:
        while (message := await self.queue.get()) is not None:
            yield message


@pytest.fixture
def stream() -> Stream:
    return Stream()


async def test_messages_come_in_their_order_until_the_end(stream: Stream) -> None:
    inbox = Inbox(stream.messages())
    for message in (b"a", b"b", None):
        stream.queue.put_nowait(message)
    assert [await inbox.next() for _ in range(3)] == [b"a", b"b", None]


async def test_work_ends_before_the_stream(stream: Stream) -> None:
    async def work() -> str:
        return "done"

    assert await Inbox(stream.messages()).while_open(work()) == "done"


async def test_stream_that_closes_cancels_the_work(stream: Stream) -> None:
    cancelled = asyncio.Event()

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    stream.queue.put_nowait(None)
    assert await Inbox(stream.messages()).while_open(work()) is None
    assert cancelled.is_set()


async def test_message_that_comes_during_the_work_is_kept(stream: Stream) -> None:
    inbox, go_on = Inbox(stream.messages()), asyncio.Event()

    async def work() -> str:
        stream.queue.put_nowait(b"early")
        await go_on.wait()
        return "done"

    asyncio.get_running_loop().call_later(0, go_on.set)
    assert await inbox.while_open(work()) == "done"
    assert await inbox.next() == b"early"


async def test_what_the_work_raises_passes_through(stream: Stream) -> None:
    async def work() -> None:
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        await Inbox(stream.messages()).while_open(work())


async def test_nothing_is_left_behind(stream: Stream) -> None:
    async def work() -> None:
        return None

    inbox = Inbox(stream.messages())
    await inbox.while_open(work())
    inbox.close()
    await asyncio.sleep(0)
    assert asyncio.all_tasks() == {asyncio.current_task()}
