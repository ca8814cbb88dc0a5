"""A thousand streams at once through one Envoy, and trailers: each client gets its own answer, untouched."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from router_extproc.testing.http2 import Http2
from router_extproc.testing.raw_http import LAST_CHUNK, chunk
from router_extproc.testing.stack import PATH, Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

STREAMS = 1000
#: Connections of HTTP/2; each takes a hundred streams.
CONNECTIONS = 10
EVENTS = 3
#: Streams whose answers have not begun, at once.
ENTERING = 32
WAIT_S = 120.0
#: Open files that the test needs: both ends of the pool's and of the clients' connections.
FILES_MIN = 3 * STREAMS
#: Resident memory of the sidecar may grow by so much: the first thousand take 66 KiB each, the next nothing.
GROWTH_BYTES_MAX = STREAMS * 192 * 1024


def body(number: int) -> bytes:
    asked = [{"role": "user", "content": f"maths number {number}"}]
    return json.dumps({"model": "auto", "stream": True, "messages": asked}).encode()


def events(number: int) -> list[bytes]:
    return [b'data: {"number": %d, "event": %d}\n\n' % (number, each) for each in range(EVENTS)]


class GatedPool:
    """Answers each stream with its own number; none ends before all have begun."""

    def __init__(self) -> None:
        self.restart()

    def restart(self, *, expected: int = STREAMS, trailers: bytes = b"") -> None:
        """Wait for so many streams before any ends."""
        self.begun, self.expected, self.trailers = 0, expected, trailers
        self.all_begun = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head, reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _answer(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if b": " in line)
        if head.startswith(b"GET /health"):
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            return
        asked = json.loads(await reader.readexactly(int(lines[b"content-length"])))
        number = int(asked["messages"][0]["content"].rpartition(" ")[2])
        first, *rest = events(number)
        announced = b"trailer: x-checksum\r\n" if self.trailers else b""
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n" + announced)
        writer.write(b"transfer-encoding: chunked\r\n\r\n" + chunk(first))
        self.begun += 1
        if self.begun == self.expected:
            self.all_begun.set()
        await self.all_begun.wait()
        end = LAST_CHUNK[:-2] + self.trailers + b"\r\n"
        writer.write(b"".join(map(chunk, rest)) + end)
        await writer.drain()


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < FILES_MIN:
        pytest.skip("this machine opens too few files for a thousand streams")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FILES_MIN), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def gated(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Stack, GatedPool]]:
    """A stack whose pools are both the gated one."""
    pool = GatedPool()
    server = await asyncio.start_server(pool.serve, "127.0.0.1", 0, backlog=2 * STREAMS)
    endpoint = {"endpoints": ["{}:{}".format(*server.sockets[0].getsockname()[:2])]}
    envoy = {"clusters": {"vllm_small": endpoint, "vllm_large": endpoint}}
    async with server, running_stack(tmp_path_factory.mktemp("many"), envoy=envoy) as stack:
        yield stack, pool


def resident_bytes(stack: Stack) -> int:
    assert stack.worker.process is not None
    status = Path(f"/proc/{stack.worker.process.pid}/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS:"))


class OneByOne:
    """A client of HTTP/1.1: a connection for each stream."""

    def __init__(self, stack: Stack) -> None:
        self._session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))
        self._url = stack.envoy.url + PATH

    async def stream(self, number: int, opened: Callable[[], None]) -> tuple[int, bytes]:
        """Status and body; says when the answer has begun."""
        async with self._session.post(self._url, data=body(number)) as answer:
            said = await answer.content.readuntil(b"\n\n")
            opened()
            return answer.status, said + await answer.read()

    async def close(self) -> None:
        await self._session.close()


class Multiplexed:
    """A client of HTTP/2: few connections, many streams on each."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._connections: list[Http2] = []

    async def stream(self, number: int, opened: Callable[[], None]) -> tuple[int, bytes]:
        """Status and body; says when the answer has begun."""
        if len(self._connections) < CONNECTIONS:
            self._connections.append(await Http2.to(self._stack.envoy.listen))
        connection = self._connections[number % len(self._connections)]
        answer = await connection.post(PATH, body(number), opened=opened)
        return int(answer.headers[":status"]), answer.body

    async def close(self) -> None:
        for connection in self._connections:
            await connection.close()


@pytest.mark.parametrize("client_of", [OneByOne, Multiplexed])
async def test_a_thousand_streams_at_once_get_their_own_answers(
    gated: tuple[Stack, GatedPool], client_of: type[OneByOne | Multiplexed]
) -> None:
    """All have begun before any of them may end, so all are open at once."""
    stack, pool = gated
    pool.restart()
    client, before = client_of(stack), resident_bytes(stack)
    # As many may be on their way in: the rush is not what is tested here.
    entering = asyncio.Semaphore(ENTERING)

    async def one(number: int) -> tuple[int, bytes]:
        await entering.acquire()
        return await client.stream(number, entering.release)

    try:
        async with asyncio.timeout(WAIT_S):
            answers = await asyncio.gather(*map(one, range(STREAMS)))
    finally:
        await client.close()
    assert answers == [(200, b"".join(events(number))) for number in range(STREAMS)]
    assert pool.begun == STREAMS
    assert resident_bytes(stack) - before < GROWTH_BYTES_MAX
    await stack.quiet()


async def test_trailers_of_an_http2_client_change_nothing(gated: tuple[Stack, GatedPool]) -> None:
    stack, pool = gated
    pool.restart(expected=1)
    connection = await Http2.to(stack.envoy.listen)
    try:
        async with asyncio.timeout(WAIT_S):
            answer = await connection.post(PATH, body(7), trailers=[("x-checksum", "1")])
    finally:
        await connection.close()
    assert (answer.headers[":status"], answer.headers["x-router-model"]) == ("200", "large")
    assert answer.body == b"".join(events(7))


async def test_trailers_of_a_pool_leave_its_answer_as_it_is(gated: tuple[Stack, GatedPool]) -> None:
    stack, pool = gated
    pool.restart(expected=1, trailers=b"x-checksum: 1\r\n")
    connection = await Http2.to(stack.envoy.listen)
    try:
        async with asyncio.timeout(WAIT_S):
            answer = await connection.post(PATH, body(8))
    finally:
        await connection.close()
    assert (answer.headers[":status"], answer.body) == ("200", b"".join(events(8)))
