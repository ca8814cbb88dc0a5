"""What the listener takes, for how long, and what a client reads when it does not."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.raw_http import RawReply, exchange
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "maths"}]}).encode()
LENGTH = f"content-length: {len(BODY)}"
CHAT = "POST /v1/chat/completions"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Impatient: a request has two seconds to arrive, an answer four to go on."""
    envoy = {"request_timeout_s": 2, "stream_idle_timeout_s": 4}
    async with running_stack(tmp_path_factory.mktemp("stack"), envoy=envoy) as stack:
        yield stack


def check_error(reply: RawReply, status: int, code: str) -> None:
    assert reply.status == status
    assert reply.headers["content-type"] == "application/json"
    assert json.loads(reply.body)["error"]["code"] == code


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/files"])
async def test_any_number_of_headers_is_answered_or_refused_with_words(stack: Stack, path: str) -> None:
    """93 to 101 were an empty 500: Envoy counts what the server adds, and had a limit of 100."""
    numbers = [*range(1, 90, 20), *range(88, 106), *range(170, 206)]
    found = []
    for number in numbers:
        headers = [LENGTH, *(f"x-h{each}: v" for each in range(number))]
        reply = await exchange(stack.envoy.listen, f"POST {path}", [BODY], headers=headers)
        found.append(reply.status)
        if reply.status != 200:
            check_error(reply, 431, "request_headers_too_large")
    assert found == sorted(found)
    assert found[numbers.index(170)] == 200


async def test_headers_that_fill_envoys_limit_are_answered_or_refused_with_words(stack: Stack) -> None:
    found = []
    for size in range(57_000, 63_000, 250):
        headers = [LENGTH, f"x-h: {'v' * size}"]
        reply = await exchange(stack.envoy.listen, CHAT, [BODY], headers=headers)
        found.append(reply.status)
        if reply.status != 200:
            check_error(reply, 431, "request_headers_too_large")
    assert set(found) == {200, 431}


async def test_a_request_that_dribbles_ends_in_bounded_time(stack: Stack) -> None:
    dribble = [step for byte in BODY for step in (0.3, bytes([byte]))]
    reply = await exchange(stack.envoy.listen, CHAT, dribble, headers=[LENGTH], timeout_s=30)
    check_error(reply, 408, "request_timeout")
    assert not stack.large.requests


async def test_so_does_an_upload_that_stops(stack: Stack) -> None:
    reply = await exchange(stack.envoy.listen, "POST /v1/files", [b"x"], headers=[LENGTH], timeout_s=30)
    check_error(reply, 408, "request_timeout")


async def test_an_answer_may_take_longer_than_a_request(stack: Stack) -> None:
    stack.large.answer = PoolAnswer((b"{}",), delay_s=3.0)
    reply = await exchange(stack.envoy.listen, CHAT, [BODY], headers=[LENGTH], timeout_s=30)
    assert reply.status == 200


async def test_a_pool_that_never_answers_is_an_error_that_clients_can_read(stack: Stack) -> None:
    stack.large.answer = PoolAnswer(delay_s=8.0)
    reply = await exchange(stack.envoy.listen, CHAT, [BODY], headers=[LENGTH], timeout_s=30)
    check_error(reply, 504, "pool_timeout")


@pytest.mark.parametrize("host", [b"host: gateway\r\n", b""])
async def test_http_1_0_is_answered(stack: Stack, host: bytes) -> None:
    head = b"POST /v1/chat/completions HTTP/1.0\r\n%scontent-length: %d\r\n\r\n" % (host, len(BODY))
    reply = await _raw(stack, head + BODY)
    assert reply.startswith(b"HTTP/1.0 200 OK\r\n")
    assert b"x-router-model: large\r\n" in reply


async def test_another_protocol_is_refused_with_words(stack: Stack) -> None:
    headers = ["upgrade: other", "connection: upgrade"]
    reply = await exchange(stack.envoy.listen, "GET /v1/realtime", [], headers=headers)
    check_error(reply, 403, "upgrade_not_supported")
    assert not stack.small.requests


async def test_what_is_no_http_is_refused_with_words(stack: Stack) -> None:
    reply = await _raw(stack, b"GET /v1/models HTTP/1.1\r\nhost gateway\r\n\r\n")
    assert b" 400 " in reply.split(b"\r\n", 1)[0]
    assert b'"malformed_request"' in reply


async def test_nothing_tells_what_serves(stack: Stack) -> None:
    stack.large.answer = PoolAnswer(headers={"server": "uvicorn"})
    chat = await stack.chat("maths")
    other, denied = await stack.send("GET", "/v1/files"), await stack.send("GET", "/metrics")
    assert (chat.status, other.status, denied.status) == (200, 200, 403)
    assert [reply.headers.get("server") for reply in (chat, other, denied)] == [None] * 3


async def _raw(stack: Stack, request: bytes) -> bytes:
    host, _, port = stack.envoy.listen.rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        writer.write(request)
        async with asyncio.timeout(10):
            return await reader.read()
    finally:
        writer.close()
