"""The profile `inline`: one filter does both, for gateways that allow only one."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.raw_http import chunked, exchange
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

EVENTS = tuple(b'data: {"i": %d}\n\n' % number for number in range(5))


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """As in conftest.py, with the other profile."""
    async with running_stack(tmp_path_factory.mktemp("inline"), envoy={"profile": "inline"}) as stack:
        yield stack


def inline_events(stack: Stack) -> list[str]:
    return [event["event"] for event in stack.worker.events() if event["role"] == "inline"]


async def test_a_prompt_is_routed_and_the_client_told(stack: Stack) -> None:
    reply = await stack.chat("maths")
    assert reply.headers["x-router-model"] == "large"
    assert reply.headers["x-router-cache"] == "miss"
    assert json.loads(stack.large.requests[0].body)["model"] == "tiny-large"


async def test_a_stream_passes_unchanged_through_the_server(stack: Stack) -> None:
    stack.small.answer = PoolAnswer(EVENTS, "text/event-stream", pause_s=0.02)
    reply = await stack.chat("poetry")
    assert reply.body == b"".join(EVENTS)
    assert inline_events(stack).count("answer chunk") >= 2


async def test_an_answer_is_stored_and_replayed(stack: Stack) -> None:
    stack.small.answer.pieces = (answer_json("Roses are red."),)
    await stack.chat("A poem about roses")
    await stack.until(lambda: "over" in inline_events(stack))
    reply = await stack.chat("A poem about roses")
    assert reply.headers["x-router-cache"] == "hit-exact"
    assert len(stack.small.requests) == 1


async def test_other_paths_pass_untouched(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((b"x" * 5_000_000,), "application/octet-stream")
    reply = await stack.send("GET", "/v1/files/1/content")
    assert len(reply.body) == 5_000_000
    assert not stack.worker.events()


async def test_a_late_body_is_routed(stack: Stack) -> None:
    body = b'{"model": "auto", "messages": [{"role": "user", "content": "maths"}]}'
    await exchange(
        stack.envoy.listen,
        "POST /v1/chat/completions",
        [0.5, body],
        headers=(f"content-length: {len(body)}",),
    )
    assert len(stack.large.requests) == 1


async def test_an_oversize_body_is_refused(stack: Stack) -> None:
    steps = chunked(b"x" * 3_000_000, 65536)
    headers = ("transfer-encoding: chunked",)
    reply = await exchange(stack.envoy.listen, "POST /v1/chat/completions", steps, headers=headers)
    assert reply.status == 413


async def test_envoy_counts_no_spurious_message_and_no_rejected_mutation(stack: Stack) -> None:
    stack.small.answer = PoolAnswer(EVENTS, "text/event-stream")
    await stack.chat("poetry")
    await stack.chat("maths")
    counters = stack.envoy.counters("http.clients.ext_proc.inline.")
    bad = ("spurious_msgs_received", "rejected_header_mutations", "failure_mode_allowed", "streams_failed")
    assert not {name: count for name, count in counters.items() if name.endswith(bad) and count}
    assert counters["http.clients.ext_proc.inline.streams_started"] > 0
