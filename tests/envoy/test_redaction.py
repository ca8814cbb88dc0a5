"""Redaction behind a real Envoy: the pool sees placeholders, the client what it wrote."""

from __future__ import annotations

import asyncio
import json
import signal
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

FILLER = "and so on, and so on, and so on, and so on, and so on, and so on, and so on, and so on, and so on. "
MAIL = "jo.doe-with-a-rather-long-name@subdomain.example.com"
KEY = "sk-abcdefghijklmnopqrstuvwx"
ASKED = f"private: I am {MAIL}"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """As in conftest.py, with the profile in which answers can be changed."""
    folder = tmp_path_factory.mktemp("redaction")
    # What a loaded test machine lets pass unread would be no redaction.
    limits = {"message_timeout_s": 10.0}
    async with running_stack(folder, envoy={"profile": "inline"}, limits=limits) as stack:
        yield stack


def said_to_pool(stack: Stack) -> str:
    return str(json.loads(stack.small.requests[0].body)["messages"][0]["content"])


def content(body: bytes) -> str:
    return str(json.loads(body)["choices"][0]["message"]["content"])


def event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish}
    return (
        b"data: "
        + json.dumps({"id": "c", "created": 1, "model": "m", "choices": [choice]}).encode()
        + b"\n\n"
    )


def streamed_text(body: bytes) -> str:
    frames = [json.loads(frame[6:]) for frame in body.split(b"\n\n") if frame.startswith(b"data: {")]
    return "".join(frame["choices"][0]["delta"].get("content", "") for frame in frames)


async def test_a_json_answer_gets_longer_and_arrives_whole(stack: Stack) -> None:
    """The pool told a content-length, which is wrong by then."""
    stack.small.answer.pieces = (answer_json("I write to [EMAIL_ADDRESS_1]."),)
    reply = await stack.chat(ASKED)
    assert said_to_pool(stack) == "private: I am [EMAIL_ADDRESS_1]"
    assert content(reply.body) == f"I write to {MAIL}."
    assert "content-length" not in reply.headers


async def test_a_json_answer_in_pieces_arrives_whole(stack: Stack) -> None:
    whole = answer_json("I write to [EMAIL_ADDRESS_1].")
    stack.small.answer = PoolAnswer((whole[:30], whole[30:90], whole[90:]), pause_s=0.02)
    assert content((await stack.chat(ASKED)).body) == f"I write to {MAIL}."


async def test_a_streamed_answer_is_restored_wherever_it_is_cut(stack: Stack) -> None:
    pieces = ["Write to [", "EMAIL", "_ADDRESS", "_", "1", "], please."]
    whole = b"".join(map(event, pieces)) + event("", "stop") + b"data: [DONE]\n\n"
    cuts = tuple(whole[start : start + 37] for start in range(0, len(whole), 37))
    stack.small.answer = PoolAnswer(cuts, "text/event-stream", pause_s=0.002)
    reply = await stack.chat(ASKED)
    assert streamed_text(reply.body) == f"Write to {MAIL}, please."
    assert reply.body.endswith(b"data: [DONE]\n\n")


async def test_a_secret_in_an_answer_is_masked(stack: Stack) -> None:
    pieces = ["The key is ", KEY[:9], KEY[9:], ", and that is all that I know about it."]
    body = (*map(event, pieces), event("", "stop"), b"data: [DONE]\n\n")
    stack.small.answer = PoolAnswer(body, "text/event-stream", pause_s=0.005)
    reply = await stack.chat(ASKED)
    assert streamed_text(reply.body) == "The key is ***, and that is all that I know about it."


async def test_what_cannot_be_read_is_a_clear_error_where_secrets_are_masked(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((b"coded",), headers={"content-encoding": "br"})
    reply = await stack.chat(ASKED)
    assert reply.status == 503
    assert reply.json()["error"]["code"] == "router_unavailable"


async def test_an_error_of_the_pool_is_restored(stack: Stack) -> None:
    error = json.dumps({"error": {"message": "cannot write to [EMAIL_ADDRESS_1]"}}).encode()
    stack.small.answer = PoolAnswer((error,), status=400)
    reply = await stack.chat(ASKED)
    assert reply.status == 400
    assert reply.json()["error"]["message"] == f"cannot write to {MAIL}"


async def test_other_requests_pass_as_before(stack: Stack) -> None:
    stack.small.answer.pieces = (answer_json("I write to [EMAIL_ADDRESS_1]."),)
    reply = await stack.chat(f"I am {MAIL}")
    assert content(reply.body) == "I write to [EMAIL_ADDRESS_1]."


async def test_a_large_answer_arrives_whole(stack: Stack) -> None:
    """It is held here until it is whole, and goes on in one piece."""
    long = "words and more words " * 50_000
    stack.small.answer.pieces = (answer_json(f"{long}[EMAIL_ADDRESS_1]"),)
    assert content((await stack.chat(ASKED)).body) == long + MAIL


async def test_envoy_rejects_no_mutation(stack: Stack) -> None:
    stack.small.answer.pieces = (answer_json("I write to [EMAIL_ADDRESS_1]."),)
    await stack.chat(ASKED)
    counters = stack.envoy.counters("http.clients.ext_proc.inline.")
    bad = ("spurious_msgs_received", "rejected_header_mutations", "failure_mode_allowed", "streams_failed")
    assert not {name: count for name, count in counters.items() if name.endswith(bad) and count}


async def test_when_a_worker_dies_in_an_answer_the_rest_keeps_its_placeholders(stack: Stack) -> None:
    """Only the worker's memory knows what they stand for; Envoy passes the rest as the pool wrote it."""
    body = (*(event(FILLER) for _ in range(20)), event("Mail [EMAIL_ADDRESS_1]."), b"data: [DONE]\n\n")
    stack.small.answer = PoolAnswer(body, "text/event-stream", pause_s=0.1)
    asking = asyncio.create_task(stack.chat(ASKED))
    await stack.until(lambda: any(each["event"] == "answer chunk" for each in stack.worker.events()))
    stack.worker.signal(signal.SIGKILL)
    text = streamed_text((await asking).body)
    stack.worker.start()
    await stack.joined()
    assert text.endswith("Mail [EMAIL_ADDRESS_1].")


def response_events(text: str) -> bytes:
    """A streamed response whose text comes letter by letter."""
    places = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    part = {"type": "output_text", "text": text, "annotations": []}
    message = {
        "type": "message",
        "id": "msg_1",
        "role": "assistant",
        "status": "completed",
        "content": [part],
    }
    whole = {"id": "resp_1", "object": "response", "model": "m", "status": "completed", "output": [message]}
    events: list[dict[str, object]] = [
        {"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}},
        *({"type": "response.output_text.delta", **places, "delta": letter} for letter in text),
        {"type": "response.output_text.done", **places, "text": text},
        {"type": "response.output_item.done", "output_index": 0, "item": message},
        {"type": "response.completed", "response": whole},
    ]
    numbered = ({**event, "sequence_number": number} for number, event in enumerate(events))
    return b"".join(b"event: x\ndata: " + json.dumps(event).encode() + b"\n\n" for event in numbered)


async def test_a_streamed_response_says_the_clients_values_in_every_event(stack: Stack) -> None:
    """The Responses API says a text in pieces, whole, and in its last object."""
    said = "Hello [EMAIL_ADDRESS_1], bye."
    stack.small.answer = PoolAnswer((response_events(said),), "text/event-stream")
    body = {"model": "auto", "input": [{"role": "user", "content": ASKED}], "stream": True, "store": False}
    reply = await stack.send("POST", "/v1/responses", json=body)
    asked = json.loads(stack.small.requests[0].body)["input"][0]["content"]
    assert MAIL not in asked
    events = [json.loads(frame.partition(b"data: ")[2]) for frame in reply.body.split(b"\n\n") if frame]
    wanted = f"Hello {MAIL}, bye."
    deltas = "".join(str(event["delta"]) for event in events if event["type"].endswith(".delta"))
    whole = events[-1]["response"]["output"][0]["content"][0]["text"]
    assert (deltas, events[-3]["text"], whole) == (wanted, wanted, wanted)
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
