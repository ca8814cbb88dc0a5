"""Sessions of coding agents through a real Envoy: the pool gets their bytes, a loop has one decision."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import Any  # JSON

import pytest

from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Reply, Stack
from tests.envoy.agent_sessions import AGENTS, CLAUDE_CODE, CODEX, SYSTEM, Agent

pytestmark = pytest.mark.asyncio(loop_scope="module")

#: Agents whose calls are calls, and not words of an answer.
CALLING = ["claude-code", "codex", "opencode"]


async def asked(stack: Stack, agent: Agent, body: bytes, answer: bytes) -> Reply:
    stack.large.answer = PoolAnswer((answer,), "text/event-stream; charset=utf-8")
    return await stack.send("POST", agent.path, data=body, headers=agent.headers)


async def replayed(stack: Stack, agent: Agent, body: bytes) -> Reply:
    """The answer to a request that is sent again, after its last answer from the pool."""
    first = await asked(stack, agent, body, agent.said)
    assert (first.body, first.headers["x-router-cache"]) == (agent.said, "miss")
    await stack.until(stack.observer_closed)
    again = await asked(stack, agent, body, agent.said)
    assert again.headers["x-router-cache"] == "hit-exact"
    return again


def named(agent: Agent, body: bytes) -> bytes:
    """What the pool is to get: the model's name is its own."""
    space = agent.separators[1]
    return body.replace(f'"model"{space}"auto"'.encode(), f'"model"{space}"tiny-large"'.encode(), 1)


def unmarked(value: Any) -> Any:
    """Without the marks of what may be cached, which pools do not render."""
    if isinstance(value, list):
        return [unmarked(each) for each in value]
    if isinstance(value, dict):
        return {name: unmarked(each) for name, each in value.items() if name != "cache_control"}
    return value


@pytest.mark.parametrize("name", AGENTS)
async def test_all_requests_of_a_tool_loop_are_decided_alike_and_keep_their_bytes(
    stack: Stack, name: str
) -> None:
    """Else the pool's prefix cache would miss, or the session would jump from model to model."""
    agent = AGENTS[name]
    bodies = [agent.request(turn) for turn in range(4)]
    replies = [await asked(stack, agent, body, agent.calls) for body in bodies]
    assert {reply.status for reply in replies} == {200}
    assert {(reply.headers["x-router-model"], reply.headers["x-router-decision"]) for reply in replies} == {
        ("large", "maths")
    }
    assert {reply.body for reply in replies} == {agent.calls}
    got = [each.body for each in stack.large.requests]
    assert got == [named(agent, body) for body in bodies]
    assert {each.path for each in stack.large.requests} == {agent.path}
    assert not stack.small.requests
    # Each turn begins as the turn before, but for its newest message: what a pool has computed stays of use.
    turns = [unmarked(json.loads(body)[agent.turns]) for body in got]
    assert all(later[: len(earlier) - 1] == earlier[:-1] for earlier, later in pairwise(turns))


@pytest.mark.parametrize("name", AGENTS)
async def test_the_session_s_headers_reach_the_pool(stack: Stack, name: str) -> None:
    agent = AGENTS[name]
    await asked(stack, agent, agent.request(4), agent.calls)
    (got,) = stack.large.requests
    assert {name: got.headers[name] for name in agent.headers} == agent.headers


@pytest.mark.parametrize("name", AGENTS)
async def test_a_final_answer_is_replayed_to_the_same_request_alone(stack: Stack, name: str) -> None:
    agent = AGENTS[name]
    await replayed(stack, agent, agent.request(5))
    assert (await asked(stack, agent, agent.request(6), agent.said)).headers["x-router-cache"] == "miss"


@pytest.mark.parametrize("name", CALLING)
async def test_calls_are_never_replayed(stack: Stack, name: str) -> None:
    """What a tool finds changes between two equal requests."""
    agent = AGENTS[name]
    for _ in range(2):
        stack.worker.forget()
        reply = await asked(stack, agent, agent.request(7), agent.calls)
        assert reply.headers["x-router-cache"] == "miss"
        await stack.until(stack.observer_closed)


async def test_claude_code_s_tokens_are_counted_with_its_bytes(stack: Stack) -> None:
    """It asks how long a request would be: the model that would get it counts, under its own name."""
    body = CLAUDE_CODE.body(2)
    counted = {name: body[name] for name in ("model", "messages", "system", "tools", "thinking")}
    sent = CLAUDE_CODE.written(counted)
    stack.small.answer = stack.large.answer = PoolAnswer((b'{"input_tokens":20000}',))
    reply = await stack.send(
        "POST", "/v1/messages/count_tokens?beta=true", data=sent, headers=CLAUDE_CODE.headers
    )
    (got,) = (*stack.small.requests, *stack.large.requests)
    assert (reply.status, reply.json()) == (200, {"input_tokens": 20000})
    model = reply.headers["x-router-model"]
    assert got.body == sent.replace(b'"model":"auto"', f'"model":"tiny-{model}"'.encode())
    whole = CLAUDE_CODE.written(body)
    asked_for = await stack.send("POST", "/v1/messages?beta=true", data=whole, headers=CLAUDE_CODE.headers)
    assert (asked_for.headers["x-router-model"], asked_for.headers["x-router-decision"]) == (
        model,
        reply.headers["x-router-decision"],
    )


async def test_signatures_of_thinking_are_replayed_as_they_were(stack: Stack) -> None:
    """The agent sends them back, and the pool checks them."""
    reply = await replayed(stack, CLAUDE_CODE, CLAUDE_CODE.request(8))
    assert signatures(reply.body) == signatures(CLAUDE_CODE.said) != []


def signatures(stream: bytes) -> list[str]:
    events = [json.loads(line[5:]) for line in stream.splitlines() if line.startswith(b"data:")]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    return [delta["signature"] for delta in deltas if delta["type"] == "signature_delta"]


async def test_encrypted_reasoning_is_replayed_as_it_was(stack: Stack) -> None:
    reply = await replayed(stack, CODEX, CODEX.request(8))
    assert b"gAAAAABexample==" in reply.body


async def test_a_decision_changes_what_it_says_and_no_other_byte(stack: Stack) -> None:
    asking = CODEX.request(0).replace(b"maths test", b"research test")
    await asked(stack, CODEX, asking, CODEX.calls)
    (got,) = stack.large.requests
    wanted = named(CODEX, asking)
    begins = json.dumps(SYSTEM, ensure_ascii=False).encode()[1:]
    wanted = wanted.replace(b'"' + begins, b'"Answer briefly.\\n\\n' + begins)
    assert got.body == b'{"temperature":0,"max_output_tokens":1024,' + wanted[1:]


@pytest.mark.parametrize("pieces", [1, 7])
@pytest.mark.parametrize("name", AGENTS)
async def test_what_a_pool_gets_wrong_reaches_the_client_as_it_is_and_nobody_else(
    stack: Stack, name: str, pieces: int
) -> None:
    agent = AGENTS[name]
    body = agent.said[: len(agent.said) // 2] + b"data: {broken\n\n"
    size = len(body) // pieces + 1
    cut = tuple(body[at : at + size] for at in range(0, len(body), size))
    for _ in range(2):
        stack.worker.forget()
        stack.large.answer = PoolAnswer(cut, "text/event-stream")
        reply = await stack.send("POST", agent.path, data=agent.request(9 + pieces), headers=agent.headers)
        assert (reply.status, reply.body, reply.headers["x-router-cache"]) == (200, body, "miss")
        await stack.until(stack.observer_closed)
