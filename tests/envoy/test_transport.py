"""What HTTP can do beside one request and one answer: it works through Envoy as without it."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import grpc.aio  # noqa: TID251 - a pool that speaks it
import pytest

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.raw_http import LAST_CHUNK, chunk, exchange
from router_extproc.testing.stack import PATH, Stack, config_for, envoy_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

CHAT = {"model": "auto", "messages": [{"role": "user", "content": "maths"}]}
BODY = json.dumps(CHAT).encode()
LENGTH = f"content-length: {len(BODY)}"


@pytest.mark.parametrize("path", ["/v1/realtime?model=small", PATH])
async def test_a_websocket_reaches_the_default_pool(stack: Stack, path: str) -> None:
    async with stack.session.ws_connect(stack.envoy.url + path) as socket:
        for word in ("one", "two"):
            await socket.send_str(word)
            assert await socket.receive_str(timeout=10) == word
    assert [request.path for request in stack.small.requests] == [path]


async def test_a_grpc_call_reaches_the_default_pool(tmp_path: Path) -> None:
    async def echo(request: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await context.send_initial_metadata((("x-served-by", "pool"),))
        context.set_trailing_metadata((("x-behind", "it"),))
        return request

    handler = grpc.method_handlers_generic_handler(
        "vllm.Generate", {"Echo": grpc.unary_unary_rpc_method_handler(echo)}
    )
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((handler,))
    address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        with envoy_of(config_for(address, address, tmp_path), tmp_path) as envoy:
            async with grpc.aio.insecure_channel(envoy.listen) as channel:
                call = channel.unary_unary("/vllm.Generate/Echo")(b"hello", timeout=20, wait_for_ready=True)
                assert await call == b"hello"
                assert ("x-served-by", "pool") in tuple(await call.initial_metadata())
                assert ("x-behind", "it") in tuple(await call.trailing_metadata())
    finally:
        await server.stop(None)


async def test_a_clients_request_id_reaches_the_pool_and_every_answer(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((answer_json("Danube."),))
    asked = {"model": "auto", "messages": [{"role": "user", "content": "Name a river."}]}
    bodies = [asked, asked, {"model": "no such"}, asked]
    paths = [PATH, PATH, PATH, "/metrics"]
    told = []
    for number, (path, body) in enumerate(zip(paths, bodies, strict=True)):
        reply = await stack.send("POST", path, json=body, headers={"x-request-id": f"mine-{number}"})
        told.append((reply.headers["x-request-id"], reply.headers.get("x-router-cache")))
        if number == 0:
            await stack.until(stack.observer_closed)
    assert told[:2] == [("mine-0", "miss"), ("mine-1", "hit-exact")]
    assert [each for each, _ in told] == [f"mine-{number}" for number in range(4)]
    assert [request.headers["x-request-id"] for request in stack.small.requests] == ["mine-0"]


async def test_an_answer_has_the_pools_own_request_id_where_it_has_one(stack: Stack) -> None:
    stack.large.answer = PoolAnswer(headers={"x-request-id": "req_1"})
    reply = await stack.chat("maths", headers={"x-request-id": "mine"})
    assert reply.headers["x-request-id"] == "req_1"


async def test_a_connection_is_used_again_after_a_refusal(stack: Stack) -> None:
    """Envoy closed it after every 400, so that each cost its client another connection."""
    connector = aiohttp.TCPConnector(limit=1)
    async with aiohttp.ClientSession(connector=connector) as session:
        seen = []
        for body in (b"{", b"{}", BODY):
            async with session.post(stack.envoy.url + PATH, data=body) as answer:
                seen.append((answer.status, answer.headers.get("connection")))
                await answer.read()
    assert seen == [(400, None), (400, None), (200, None)]


async def test_a_body_that_waits_for_100_continue_is_asked_for(stack: Stack) -> None:
    async with stack.session.post(stack.envoy.url + PATH, json=CHAT, expect100=True) as answer:
        assert (answer.status, answer.headers["x-router-model"]) == (200, "large")


async def test_a_request_with_trailers_is_decided(stack: Stack) -> None:
    steps = [chunk(BODY), LAST_CHUNK[:-2], b"x-checksum: 1\r\n\r\n"]
    headers = ["transfer-encoding: chunked", "trailer: x-checksum"]
    reply = await exchange(stack.envoy.listen, f"POST {PATH}", steps, headers=headers)
    assert (reply.status, reply.headers["x-router-model"]) == (200, "large")
    assert json.loads(stack.large.requests[-1].body)["messages"] == CHAT["messages"]


@pytest.mark.parametrize("path", [PATH, "/v1/files"])
async def test_head_is_the_pools(stack: Stack, path: str) -> None:
    reply = await stack.send("HEAD", path)
    assert (reply.status, reply.body) == (200, b"")
    assert [request.method for request in stack.small.requests] == ["HEAD"]


async def test_a_client_that_leaves_frees_the_pool_in_every_phase(stack: Stack) -> None:
    """A pool that goes on generating for nobody is lost to the others."""
    active = "cluster.vllm_large.upstream_rq_active"
    stack.large.answer = PoolAnswer((b"data: {}\n\n",) * 50, "text/event-stream", pause_s=0.2)
    for phase in ("body", "silent", "stream"):
        stack.large.answer.delay_s = 5.0 if phase == "silent" else 0.0
        reader, writer = await _opened(stack)
        writer.write(f"POST {PATH} HTTP/1.1\r\nhost: g\r\n{LENGTH}\r\n\r\n".encode())
        writer.write(BODY[:10] if phase == "body" else BODY)
        if phase == "stream":
            await reader.readuntil(b"data: {}")
        if phase == "silent":
            await stack.until(lambda: len(stack.large.requests) > 0)
        writer.close()
        await stack.until(lambda: stack.envoy.counters(active)[active] == 0, within_s=4)
        stack.large.requests.clear()
    assert (await stack.chat("Hello")).status == 200


async def test_a_reader_who_takes_its_time_gets_all_of_it(stack: Stack) -> None:
    pieces = tuple(b"data: %06d %s\n\n" % (number, b"x" * 8192) for number in range(200))
    stack.large.answer = PoolAnswer(pieces, "text/event-stream")
    reader, writer = await _opened(stack, limit=2**12)
    head = f"POST {PATH} HTTP/1.1\r\nhost: g\r\nconnection: close\r\n{LENGTH}\r\n\r\n"
    writer.write(head.encode() + BODY)
    await asyncio.sleep(1.0)
    received = await asyncio.wait_for(reader.read(), 30)
    assert received.count(b"x" * 8192) + 5 >= len(pieces)
    assert b"data: 000199 " in received
    writer.close()


async def _opened(stack: Stack, limit: int = 2**16) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = stack.envoy.listen.rpartition(":")
    return await asyncio.open_connection(host, int(port), limit=limit)
