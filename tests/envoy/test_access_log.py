"""Envoy's access log names model, decision and cache, whatever became of the request."""

from __future__ import annotations

import asyncio
import io
import json
import signal
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json, chat
from router_extproc.testing.json_lines import whole_lines
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import PATH, Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

SECRET = "sk-live-0123456789"
Line = dict[str, Any]


@pytest_asyncio.fixture
async def answering(stack: Stack) -> AsyncIterator[Stack]:
    """The pools answer what the cache may keep."""
    stack.small.answer = stack.large.answer = PoolAnswer((answer_json(),))
    yield stack


async def line_of(stack: Stack, method: str = "POST", path: str = PATH, **more: Any) -> Line:
    """What was logged of this request."""
    trace_id = uuid.uuid4().hex
    headers = {**more.pop("headers", {}), "traceparent": trace_parent(trace_id)}
    await stack.send(method, path, headers=headers, **more)
    return await logged(stack, trace_id)


def trace_parent(trace_id: str) -> str:
    return f"00-{trace_id}-00f067aa0ba902b7-01"


async def logged(stack: Stack, trace_id: str) -> Line:
    """The line of this trace."""

    def lines() -> list[bytes]:
        return [line for line in whole_lines(stack.envoy.log) if trace_id.encode() in line]

    await stack.until(lambda: bool(lines()), within_s=30.0)
    (line,) = lines()
    found: Line = json.loads(line)
    return found


def shown(line: Line) -> tuple[object, ...]:
    return tuple(line[name] for name in ("model", "decision", "cluster", "cache"))


async def stored(stack: Stack, prompt: str) -> None:
    """The answer to this prompt is in the cache."""
    await stack.chat(prompt)
    await stack.quiet()


async def test_a_miss_names_who_answered(answering: Stack) -> None:
    line = await line_of(answering, json=chat("Access log maths"))
    assert shown(line) == ("large", "maths", "vllm_large", "miss")
    assert (line["status"], line["route"]) == (200, "to vllm_large")
    assert line["upstream_host"] == answering.large.address


async def test_an_exact_hit_names_who_answered_first(answering: Stack) -> None:
    """The server's immediate response never writes the request headers that a pool gets."""
    await stored(answering, "One maths question")
    line = await line_of(answering, json=chat("One maths question"))
    assert shown(line) == ("large", "maths", None, "hit-exact")
    assert (line["details"], line["upstream_host"]) == ("router_cache_hit", None)


async def test_a_semantic_hit_names_who_answered_first(answering: Stack) -> None:
    await stored(answering, "two maths words")
    line = await line_of(answering, json=chat("words maths two"))
    assert shown(line) == ("large", "maths", None, "hit-semantic")


@pytest.mark.parametrize("body", [b"{", b'{"model": "auto"}', b"[]"])
async def test_a_rejected_request_names_its_error(answering: Stack, body: bytes) -> None:
    line = await line_of(answering, data=body)
    assert shown(line) == (None, None, None, None)
    assert (line["status"], line["details"]) == (400, "router_invalid_request")


async def test_a_miss_that_only_the_cache_could_answer_says_so(answering: Stack) -> None:
    headers = {"cache-control": "only-if-cached"}
    line = await line_of(answering, json=chat("Never asked"), headers=headers)
    assert shown(line) == (None, None, None, "miss")
    assert line["details"] == "router_not_cached"


async def test_a_body_that_is_announced_too_large_meets_no_pool(answering: Stack) -> None:
    line = await line_of(answering, data=io.BytesIO(b"x" * 1_100_000))
    assert shown(line) == (None, None, None, None)
    assert (line["status"], line["route"]) == (413, f"too large {PATH}")


async def test_what_is_no_inference_names_its_route_only(answering: Stack) -> None:
    line = await line_of(answering, "GET", f"/v1/files?key={SECRET}", headers={"authorization": SECRET})
    assert shown(line) == (None, None, None, None)
    assert (line["route"], line["upstream_host"]) == ("everything else", answering.small.address)
    assert SECRET not in json.dumps(line)


async def test_a_client_that_goes_away_leaves_model_and_decision_behind(answering: Stack) -> None:
    """It had no answer yet whose headers could tell."""
    answering.large.answer = PoolAnswer((answer_json(),), delay_s=30.0)
    trace_id = uuid.uuid4().hex
    asking = asyncio.create_task(
        answering.chat("Long maths", headers={"traceparent": trace_parent(trace_id)})
    )
    await answering.until(lambda: len(answering.large.requests) == 1)
    asking.cancel()
    await asyncio.wait((asking,))
    line = await logged(answering, trace_id)
    assert shown(line) == ("large", "maths", "vllm_large", None)
    assert line["flags"] == "DC"


async def test_the_ids_of_a_client_are_kept_and_bounded(answering: Stack) -> None:
    """They may be any text."""
    marker = uuid.uuid4().hex
    headers = {"x-request-id": "r" * 5000, "traceparent": marker + "q" * 5000}
    await answering.send("GET", "/v1/files", headers=headers)
    line = await logged(answering, marker)
    assert line["request_id"] == "r" * 64
    assert len(line["traceparent"]) == len(trace_parent(marker))


async def test_a_request_without_an_id_gets_one(answering: Stack) -> None:
    line = await line_of(answering, json=chat("A question without an id"))
    assert uuid.UUID(line["request_id"])


async def test_an_unread_request_names_the_default_route_and_pool(answering: Stack) -> None:
    answering.worker.signal(signal.SIGSTOP)
    try:
        line = await line_of(answering, json=chat("Unread maths"))
    finally:
        answering.worker.signal(signal.SIGCONT)
    await answering.joined()
    assert shown(line) == (None, None, None, None)
    assert (line["route"], line["upstream_host"]) == (f"inference {PATH}", answering.small.address)


async def test_a_hit_in_the_profile_inline_is_logged_alike(tmp_path_factory: pytest.TempPathFactory) -> None:
    async with running_stack(tmp_path_factory.mktemp("inline"), envoy={"profile": "inline"}) as stack:
        stack.large.answer = PoolAnswer((answer_json(),))
        miss = await line_of(stack, json=chat("Inline maths"))
        await asyncio.wait_for(stack.quiet(), 30)
        hit = await line_of(stack, json=chat("Inline maths"))
    assert shown(miss) == ("large", "maths", "vllm_large", "miss")
    assert shown(hit) == ("large", "maths", None, "hit-exact")
