"""Request bodies of any size, at any pace: routed, or refused in bounded time, never lost."""

from __future__ import annotations

import json

import pytest

from router_extproc.testing.raw_http import RawReply, Step, chunk, chunked, exchange
from router_extproc.testing.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024
LIMIT = MIB
CHUNKED = ("transfer-encoding: chunked",)
#: How soon a refusal must come; Envoy's own timeouts are minutes.
REFUSED_S = 2.0


def chat_body(size: int = 0, prompt: str = "maths") -> bytes:
    """A chat completion request, padded to `size` bytes."""
    body = {"model": "auto", "messages": [{"role": "user", "content": prompt}], "user": ""}
    body["user"] = "x" * max(0, size - len(json.dumps(body)))
    return json.dumps(body).encode()


async def post(
    stack: Stack, steps: list[Step], *headers: str, path: str = "/v1/chat/completions"
) -> RawReply:
    return await exchange(stack.envoy.listen, f"POST {path}", steps, headers=headers)


def length(size: int) -> str:
    return f"content-length: {size}"


async def test_a_late_body_is_still_routed(stack: Stack) -> None:
    """In the streamed body modes Envoy would have sent the headers on, to the wrong pool."""
    body = chat_body()
    assert (await post(stack, [0.7, body], length(len(body)))).status == 200
    assert len(stack.large.requests) == 1


async def test_a_trickling_client_is_routed_and_holds_no_stream_of_the_server(stack: Stack) -> None:
    body = chat_body()
    steps: list[Step] = [step for byte in body for step in (0.005, bytes([byte]))]
    assert (await post(stack, steps, length(len(body)))).status == 200
    assert len(stack.large.requests) == 1
    seen = [event["event"] for event in stack.worker.events() if event["role"] == "decide"]
    assert seen[:3] == ["opened", "request headers", "request body"]


async def test_a_chunked_body_is_routed_with_its_new_length(stack: Stack) -> None:
    body = chat_body()
    steps: list[Step] = [chunk(body[:9]), 0.2, chunk(body[9:]), b"0\r\n\r\n"]
    assert (await post(stack, steps, *CHUNKED)).status == 200
    (request,) = stack.large.requests
    assert json.loads(request.body)["model"] == "tiny-large"


async def test_a_body_after_100_continue_is_routed(stack: Stack) -> None:
    body = chat_body()
    await post(stack, [0.2, body], length(len(body)), "expect: 100-continue")
    assert len(stack.large.requests) == 1


@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_of_exactly_the_limit_is_routed(stack: Stack, *, announced: bool) -> None:
    """The rewritten model makes it longer than the limit on its way to the pool."""
    body = chat_body(LIMIT)
    steps: list[Step] = [body] if announced else chunked(body, 16384)
    headers = (length(len(body)),) if announced else CHUNKED
    assert (await post(stack, steps, *headers)).status == 200
    assert stack.large.requests[0].body_bytes > LIMIT


@pytest.mark.parametrize("size", [LIMIT + 1, 2 * MIB, 8 * MIB])
@pytest.mark.parametrize("announced", [True, False])
async def test_an_oversize_body_is_refused_at_once(stack: Stack, size: int, *, announced: bool) -> None:
    """Fast senders used to outrun the header reply, after which Envoy waited for minutes."""
    body = chat_body(size)
    steps: list[Step] = [body] if announced else chunked(body, 65536)
    reply = await post(stack, steps, *((length(size),) if announced else CHUNKED))
    check_refusal(reply, stack)


@pytest.mark.parametrize("size", [LIMIT + 1, 2**40])
async def test_an_oversize_body_that_is_only_announced_is_refused(stack: Stack, size: int) -> None:
    """A client that waits for leave to send (curl, over 1 MB) hears the refusal in its place."""
    reply = await post(stack, [], length(size), "expect: 100-continue")
    check_refusal(reply, stack)
    assert reply.headers["content-type"] == "application/json"


async def test_an_oversize_body_that_never_ends_is_refused(stack: Stack) -> None:
    steps = chunked(chat_body(2 * MIB), 65536)[:-1]
    check_refusal(await post(stack, steps, *CHUNKED), stack)


async def test_a_paced_oversize_body_is_refused(stack: Stack) -> None:
    steps: list[Step] = [step for piece in chunked(chat_body(2 * MIB), 65536) for step in (0.01, piece)]
    check_refusal(await post(stack, steps, *CHUNKED), stack)


def check_refusal(reply: RawReply, stack: Stack) -> None:
    assert reply.status == 413
    assert reply.first_byte_s < REFUSED_S
    error = json.loads(reply.body)["error"]
    assert error["type"] == "invalid_request_error"
    assert error["code"] == "request_too_large"
    assert not stack.large.requests
    assert not stack.small.requests


@pytest.mark.parametrize("announced", [True, False])
async def test_uploads_on_other_paths_have_no_limit(stack: Stack, *, announced: bool) -> None:
    body = b"x" * (20 * MIB)
    steps: list[Step] = [body] if announced else chunked(body, 65536)
    headers = (length(len(body)),) if announced else CHUNKED
    assert (await post(stack, steps, *headers, path="/v1/files")).status == 200
    assert stack.small.requests[0].body_bytes == len(body)


async def test_an_empty_body_gets_the_apis_error(stack: Stack) -> None:
    reply = await post(stack, [], length(0))
    assert reply.status == 400
    assert json.loads(reply.body)["error"]["type"] == "invalid_request_error"
