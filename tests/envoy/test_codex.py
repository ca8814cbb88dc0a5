"""A session of Codex through a real Envoy: own texts, in the wire shape of its requests."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any  # JSON

import pytest

from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Reply, Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAMPLES = Path(__file__).parents[1] / "samples" / "openai_responses"
LOOP: dict[str, Any] = json.loads((SAMPLES / "agent-loop.request.json").read_bytes())
CALLS = (SAMPLES / "calls.answer.sse").read_bytes()
SAID = (SAMPLES / "openai.answer.sse").read_bytes()
#: 20 KB, with what JSON escapes and what it does not.
INSTRUCTIONS = "You edit code in a terminal: keep to “the plan”, \ttabs and all. \\ \u2028 🧑‍🌾\n" * 260
TOOLS: list[dict[str, Any]] = [
    *LOOP["tools"],
    *(
        {"type": "function", "name": f"mcp__files__tool_{number}", "strict": False, "description": "x" * 200,
         "parameters": {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}}
        for number in range(48)
    ),
]  # fmt: skip
QUESTION = {
    "type": "message",
    "role": "user",
    "content": [{"type": "input_text", "text": "Why does the maths test fail?"}],
}
HEADERS = {
    "content-type": "application/json", "accept": "text/event-stream", "authorization": "Bearer of-the-test",
    "originator": "codex_cli_rs", "session_id": "019a0000-0000-7000-8000-000000000000",
}  # fmt: skip
#: What a tool found: words by which a question would be refused, or go elsewhere.
FOUND = "research: forbidden, opening, private"


def request(turn: int) -> bytes:
    """The request of one turn: all that was said and called before, in the bytes that Codex would write."""
    before = [item for item in LOOP["input"] if item.get("role") in {"developer", "user"}][:-1]
    steps = []
    for number in range(turn):
        reasoning = {
            "type": "reasoning",
            "summary": [],
            "content": None,
            "encrypted_content": f"gAAAA{number}==",
        }
        call = {
            "type": "function_call",
            "name": "shell",
            "arguments": '{"command":["ls"]}',
            "call_id": f"call_{number}",
        }
        patch = {
            "type": "custom_tool_call",
            "status": "completed",
            "call_id": f"p_{number}",
            "name": "apply_patch",
            "input": "*** Begin Patch\n*** End Patch",
        }
        results = [
            {"type": "function_call_output", "call_id": f"call_{number}", "output": FOUND},
            {
                "type": "custom_tool_call_output",
                "call_id": f"p_{number}",
                "output": '{"output":"","metadata":{}}',
            },
        ]
        steps += [reasoning, call, patch, *results]
    body = {**LOOP, "instructions": INSTRUCTIONS, "input": [*before, QUESTION, *steps], "tools": TOOLS}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


async def asked(stack: Stack, body: bytes, answer: bytes = CALLS) -> Reply:
    stack.large.answer = PoolAnswer((answer,), "text/event-stream; charset=utf-8")
    return await stack.send("POST", "/v1/responses", data=body, headers=HEADERS)


async def test_all_requests_of_a_tool_loop_are_decided_alike_and_keep_their_bytes(stack: Stack) -> None:
    """Else the pool's prefix cache would miss, or the session would jump from model to model."""
    bodies = [request(turn) for turn in range(4)]
    replies = [await asked(stack, body) for body in bodies]
    assert {reply.status for reply in replies} == {200}
    assert {(reply.headers["x-router-model"], reply.headers["x-router-decision"]) for reply in replies} == {
        ("large", "maths")
    }
    assert {reply.body for reply in replies} == {CALLS}
    got = [each.body for each in stack.large.requests]
    assert got == [body.replace(b'"model":"auto"', b'"model":"tiny-large"') for body in bodies]
    assert not stack.small.requests
    # Each turn's items begin as those of the turn before: what a pool has computed stays of use.
    items = [json.loads(body)["input"] for body in got]
    assert all(later[: len(earlier)] == earlier for earlier, later in pairwise(items))


async def test_the_session_s_headers_reach_the_pool(stack: Stack) -> None:
    await asked(stack, request(0))
    (got,) = stack.large.requests
    assert {name: got.headers[name] for name in HEADERS} == HEADERS


async def test_a_final_answer_is_replayed_to_the_same_request_alone(stack: Stack) -> None:
    first = await asked(stack, request(2), SAID)
    assert (first.body, first.headers["x-router-cache"]) == (SAID, "miss")
    await stack.until(stack.observer_closed)
    again = await asked(stack, request(2), SAID)
    assert again.headers["x-router-cache"] == "hit-exact"
    assert b"gAAAAABexample==" in again.body
    assert (await asked(stack, request(3), SAID)).headers["x-router-cache"] == "miss"


async def test_calls_are_never_replayed(stack: Stack) -> None:
    """What a tool finds changes between two equal requests."""
    await asked(stack, request(1))
    await stack.until(stack.observer_closed)
    assert (await asked(stack, request(1))).headers["x-router-cache"] == "miss"


async def test_a_decision_changes_what_it_says_and_no_other_byte(stack: Stack) -> None:
    asking = request(0).replace(b"maths test", b"research test")
    await asked(stack, asking)
    (got,) = stack.large.requests
    wanted = asking.replace(b'"model":"auto"', b'"model":"tiny-large"')
    begins = json.dumps(INSTRUCTIONS, ensure_ascii=False).encode()[1:]
    wanted = wanted.replace(b'"' + begins, b'"Answer briefly.\\n\\n' + begins)
    assert got.body == b'{"temperature":0,"max_output_tokens":1024,' + wanted[1:]


@pytest.mark.parametrize("pieces", [1, 7])
async def test_what_a_pool_gets_wrong_reaches_the_client_as_it_is_and_nobody_else(
    stack: Stack, pieces: int
) -> None:
    body = SAID[: len(SAID) // 2] + b"data: {broken\n\n"
    size = len(body) // pieces + 1
    cut = tuple(body[at : at + size] for at in range(0, len(body), size))
    for _ in range(2):
        stack.large.answer = PoolAnswer(cut, "text/event-stream")
        reply = await stack.send("POST", "/v1/responses", data=request(9 + pieces), headers=HEADERS)
        assert (reply.status, reply.body, reply.headers["x-router-cache"]) == (200, body, "miss")
        await stack.until(stack.observer_closed)
