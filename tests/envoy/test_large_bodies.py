"""Bodies of many megabytes through a real Envoy, with the limit that is the default: decided as any other."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from router_extproc.config.model import Config
from router_extproc.envoy_config.render import render
from router_extproc.testing.raw_http import RawReply, Step, chunked, exchange
from router_extproc.testing.served_router import SLOW, SLOW_S
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIB = 1024 * 1024
LIMIT = 16 * MIB
#: Shorter than reading the largest body takes on a slow machine.
LIMITS = {"message_timeout_s": 1.0, "max_body_bytes": LIMIT}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder: Path = tmp_path_factory.mktemp("large")
    async with running_stack(folder, limits=LIMITS) as stack:
        yield stack


@pytest.fixture(autouse=True)
def _forget(stack: Stack) -> None:
    stack.reset()


def chat_body(size: int, *, model: str = "auto", turns: int = 1) -> bytes:
    """A conversation about maths of `size` bytes."""
    text = "word " * (size // turns // 5 - 40)
    messages = [{"role": "user", "content": text}] * turns
    body = {"model": model, "messages": [*messages, {"role": "user", "content": "maths"}], "user": ""}
    body["user"] = "x" * (size - len(json.dumps(body)))
    return json.dumps(body).encode()


async def post(stack: Stack, body: bytes, *headers: str, announced: bool = True) -> RawReply:
    steps: list[Step] = [body] if announced else chunked(body, 65536)
    length = f"content-length: {len(body)}" if announced else "transfer-encoding: chunked"
    return await exchange(stack.envoy.listen, "POST /v1/chat/completions", steps, headers=(length, *headers))


@pytest.mark.parametrize("size", [MIB, 4 * MIB, LIMIT])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_large_prompt_is_decided_as_any_other(stack: Stack, size: int, *, announced: bool) -> None:
    reply = await post(stack, chat_body(size), announced=announced)
    assert reply.status == 200
    (request,) = stack.large.requests
    assert request.body.startswith(b'{"model": "tiny-large"')
    assert request.body_bytes == size + len("tiny-large") - len("auto")
    assert not stack.small.requests


async def test_many_turns_are_decided_as_any_other(stack: Stack) -> None:
    assert (await post(stack, chat_body(LIMIT, turns=20_000))).status == 200
    assert len(stack.large.requests) == 1


async def test_a_large_body_for_a_named_model_is_answered_by_that_model(stack: Stack) -> None:
    assert (await post(stack, chat_body(LIMIT, model="large"))).status == 200
    assert (len(stack.large.requests), len(stack.small.requests)) == (1, 0)


@pytest.mark.parametrize("announced", [True, False])
async def test_a_larger_body_is_refused(stack: Stack, *, announced: bool) -> None:
    reply = await post(stack, chat_body(LIMIT + 1), announced=announced)
    assert reply.status == 413
    assert json.loads(reply.body)["error"]["code"] == "request_too_large"


async def test_a_compressed_body_reaches_the_pool_decoded_with_its_own_length(stack: Stack) -> None:
    body = chat_body(4 * MIB)
    assert (await post(stack, gzip.compress(body, 1), "content-encoding: gzip")).status == 200
    (request,) = stack.large.requests
    assert "content-encoding" not in request.headers
    sent = body.replace(b"auto", b"tiny-large", 1)
    assert request.body == sent[: len(request.body)]
    assert request.headers["content-length"] == str(len(sent))


async def test_a_compressed_body_that_decodes_to_the_limit_is_decided(stack: Stack) -> None:
    """What it becomes is larger than what Envoy has buffered."""
    assert (await post(stack, gzip.compress(chat_body(LIMIT), 1), "content-encoding: gzip")).status == 200
    assert stack.large.requests[0].body_bytes > LIMIT


async def test_a_bomb_is_refused(stack: Stack) -> None:
    bomb = gzip.compress(bytes(256 * MIB), 1)
    reply = await post(stack, bomb, "content-encoding: gzip")
    assert reply.status == 413
    assert not stack.large.requests
    assert not stack.small.requests


def slow(size: int) -> bytes:
    """A request for `large` whose decision is late."""
    body = {"model": "large", "user": "x" * size, "messages": [{"role": "user", "content": SLOW.decode()}]}
    return json.dumps(body).encode()


async def test_a_large_body_whose_decision_is_late_is_waited_for(stack: Stack) -> None:
    """Envoy counts from the moment in which it sends the body, so it is asked before the body is there."""
    assert LIMITS["message_timeout_s"] < SLOW_S
    assert (await post(stack, slow(MIB))).status == 200
    assert (len(stack.large.requests), len(stack.small.requests)) == (1, 0)


async def test_a_large_body_whose_decision_is_too_late_reaches_no_other_model(tmp_path: Path) -> None:
    """Of a small one is nothing known but that it may pass unread."""

    def impatient(config: Config) -> str:
        rendered = render(config, "bootstrap")["bootstrap.yaml"]
        return re.sub("max_message_timeout: .*", "max_message_timeout: 0.5s", rendered)

    async with running_stack(tmp_path, bootstrap=impatient, limits=LIMITS) as stack:
        refused = await post(stack, slow(MIB))
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert json.loads(refused.body)["error"]["code"] == "router_unavailable"
        assert not stack.small.requests
        assert (await post(stack, slow(9))).status == 200
        assert len(stack.small.requests) == 1


async def test_an_unknown_coding_is_refused_before_the_body_comes(stack: Stack) -> None:
    reply = await post(stack, chat_body(MIB), "content-encoding: compress")
    assert reply.status == 415
    assert reply.headers["accept-encoding"] == "gzip, deflate, zstd, br"
