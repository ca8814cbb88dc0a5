"""Errors that are made on the way, by Envoy or by us, in the form of the API that was asked."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from typing import Any  # JSON

import pytest
import pytest_asyncio

from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.raw_http import RawReply, exchange
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST_BYTE_S = 1.5
ASKED = [{"role": "user", "content": "poetry"}]
#: Each API's smallest request.
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": "large", "messages": ASKED},
    "/v1/completions": {"model": "large", "prompt": "poetry"},
    "/v1/responses": {"model": "large", "input": "poetry", "store": False},
    "/v1/embeddings": {"model": "large", "input": "poetry"},
    "/v1/messages": {"model": "large", "max_tokens": 9, "messages": ASKED},
    "/v1/messages/count_tokens": {"model": "large", "messages": ASKED},
    "/v1/rerank": {"model": "large", "query": "poetry", "documents": ["a"]},
}
#: Of Messages: the type of each status.
MESSAGES_TYPES = {413: "request_too_large", 504: "timeout_error"}
CODES = {413: "request_too_large", 431: "request_headers_too_large", 504: "pool_timeout"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Impatient with pools, and with bodies over 64 KiB."""
    limits = {"message_timeout_s": 2.0, "max_body_bytes": 64 * 1024}
    envoy = {"first_byte_timeout_s": FIRST_BYTE_S}
    async with running_stack(tmp_path_factory.mktemp("stack"), envoy=envoy, limits=limits) as stack:
        yield stack


async def refused(stack: Stack, path: str, body: bytes, *headers: str) -> RawReply:
    lines = ["content-type: application/json", f"content-length: {len(body)}", *headers]
    return await exchange(stack.envoy.listen, f"POST {path}", [body], headers=lines, timeout_s=30)


def check_form(reply: RawReply, path: str, status: int) -> None:
    assert (reply.status, reply.headers["content-type"]) == (status, "application/json")
    told = json.loads(reply.body)
    # Envoy refuses headers before it knows the path, and before any filter has given the request an id.
    if path.startswith("/v1/messages") and status != 431:
        assert (told["type"], told["error"]["type"]) == ("error", MESSAGES_TYPES[status])
    else:
        assert ("type" in told, told["error"]["code"]) == (False, CODES[status])
    assert told["error"]["message"]
    assert ("x-request-id" in reply.headers) == (status != 431)


@pytest.mark.parametrize("path", BODIES)
async def test_a_pool_without_a_first_byte_is_a_504_in_time(stack: Stack, path: str) -> None:
    """`envoy.first_byte_timeout_s`, long before the longest pause of an answer."""
    stack.large.answer = PoolAnswer(delay_s=60)
    started = time.monotonic()
    check_form(await refused(stack, path, json.dumps(BODIES[path]).encode()), path, 504)
    assert FIRST_BYTE_S <= time.monotonic() - started < 20
    assert len(stack.large.requests) == 1


@pytest.mark.parametrize("path", BODIES)
async def test_too_many_headers_are_a_431(stack: Stack, path: str) -> None:
    body = json.dumps(BODIES[path]).encode()
    for headers in ([f"x-h{each}: v" for each in range(300)], [f"x-h: {'v' * 70_000}"]):
        check_form(await refused(stack, path, body, *headers), path, 431)
    assert not stack.large.requests


@pytest.mark.parametrize("path", BODIES)
async def test_a_body_over_the_limit_is_a_413(stack: Stack, path: str) -> None:
    body = json.dumps({**BODIES[path], "user": "x" * stack.config.limits.max_body_bytes}).encode()
    check_form(await refused(stack, path, body), path, 413)
    assert not stack.large.requests


async def test_an_answer_that_has_begun_may_take_longer_than_its_first_byte(stack: Stack) -> None:
    stack.large.answer = PoolAnswer(
        (b"data: 1\n\n", b"data: 2\n\n"), "text/event-stream", pause_s=FIRST_BYTE_S + 1
    )
    reply = await refused(stack, "/v1/chat/completions", json.dumps(BODIES["/v1/chat/completions"]).encode())
    assert reply.status == 200
    assert b"data: 2" in reply.body
