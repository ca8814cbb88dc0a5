"""The Responses API against any bytes: requests of any items, answers and streams made up."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any  # JSON trees

import orjson
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.json_strings import text_of
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import Answer, Incomplete
from router_extproc.llm.changes import (
    ParameterChanges,
    ReasoningChange,
    ReplaceSystemPrompt,
    RequestChanges,
    SurroundSystemPrompt,
)
from router_extproc.llm.edits import Set
from router_extproc.llm.request import InferenceRequest
from router_extproc.llm.stored import decode_document, encode_answer
from router_extproc.testing.check_dialect_rewriting import keep, let_pass, rewritten

RESPONSES = DIALECTS["openai_responses"]
ASKED = RESPONSES.parse(b'{"model":"a","input":"q"}')
ROOM_BYTES = 1 << 20
KINDS = st.sampled_from(
    ["message", "function_call", "function_call_output", "custom_tool_call", "reasoning", "item_reference",
     "mcp_call", "computer_call_output", "input_text", "output_text", "refusal", "input_image", "x"]
)  # fmt: skip
NAMES = st.sampled_from(
    [
        "type",
        "role",
        "content",
        "text",
        "id",
        "output",
        "arguments",
        "input",
        "name",
        "call_id",
        "summary",
        "x",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False) | st.text(max_size=5)
TREES = st.recursive(
    SCALARS | KINDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
PARTS = st.fixed_dictionaries({"type": KINDS}, optional={"text": TREES, "refusal": TREES})
ITEMS = st.fixed_dictionaries(
    {},
    optional={
        "type": KINDS | TREES,
        "role": st.sampled_from(["system", "developer", "user", "assistant", "x"]) | TREES,
        "content": st.text(max_size=4) | st.lists(PARTS | TREES, max_size=3) | TREES,
        "output": TREES,
        "arguments": TREES,
        "name": TREES,
    },
)
REQUESTS = st.fixed_dictionaries(
    {"model": st.text(max_size=4), "input": st.text(max_size=4) | st.lists(ITEMS, max_size=5) | TREES},
    optional={
        "instructions": st.text(max_size=4) | TREES,
        "stream": TREES,
        "store": TREES,
        "tools": st.lists(st.dictionaries(NAMES, TREES, max_size=3), max_size=2) | TREES,
        "text": TREES,
        "reasoning": st.dictionaries(st.sampled_from(["effort", "summary"]), TREES) | TREES,
        "previous_response_id": TREES,
        "x": TREES,
    },
)
CHANGES = st.builds(
    RequestChanges,
    st.none()
    | st.builds(SurroundSystemPrompt, st.just("Before."), st.just("After."))
    | st.builds(ReplaceSystemPrompt, st.just("Instead.")),
    st.builds(ParameterChanges, st.just((("temperature", b"0"),)), st.just((("max_tokens", b"9"),))),
    st.none() | st.builds(ReasoningChange, on=st.booleans(), force=st.booleans()),
)


def parse(body: bytes) -> InferenceRequest | None:
    """The request, or None for the one error that `parse` may raise."""
    try:
        return RESPONSES.parse(body)
    except MalformedRequest:
        return None


def read(content_type: str, *pieces: bytes) -> Answer | Incomplete:
    reader = RESPONSES.read_answer(content_type, max_answer_bytes=ROOM_BYTES)
    for piece in pieces:
        reader.feed(piece)
    return reader.finish()


@given(tree=REQUESTS)
def test_any_body_is_a_request_or_malformed(tree: Any) -> None:
    """An edited body parses to the same document, but for what was meant."""
    body = json.dumps(tree).encode()
    request = parse(body)
    if request is None:
        return
    edited = RESPONSES.edit(body, [Set(("model",), "pool/model")])
    assert json.loads(edited) == {**tree, "model": "pool/model"}
    again = RESPONSES.parse(edited)
    assert replace(again, model=request.model, body_bytes=request.body_bytes) == request
    for text in RESPONSES.texts(body):
        text_of(body[text.start : text.end].decode())


@given(tree=REQUESTS, changes=CHANGES, family=st.sampled_from(["qwen3", "gpt_oss", None]))
def test_a_changed_request_is_a_request_with_the_same_question(
    tree: Any, changes: RequestChanges, family: str | None
) -> None:
    body = json.dumps(tree).encode()
    request = parse(body)
    if request is None:
        return
    changed = RESPONSES.parse(RESPONSES.edit(body, RESPONSES.edits(request, changes, family=family)))
    asked = (request.prompt, request.history, request.later)
    assert (changed.prompt, changed.history, changed.later) == asked
    if changes.system_prompt is None:
        assert changed.system == request.system
    else:
        assert changed.system.startswith(("Before.", "Instead."))


# ── answers ───────────────────────────────────────────────────────────────────────────────────

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ["def f():\n\treturn 1\r\n", "\u2028\u2029\x85", "🧑‍🌾é\0", "data: [DONE]\n\n", 'quote"\\\\']
)
IDS = st.none() | st.text("abc_", min_size=1, max_size=5)
OUTPUT_PARTS = st.fixed_dictionaries(
    {"type": st.just("output_text"), "text": TEXTS},
    optional={
        "annotations": st.lists(st.just({"type": "x"}), max_size=2),
        "logprobs": st.none() | st.just([]),
    },
) | st.fixed_dictionaries({"type": st.just("refusal"), "refusal": TEXTS})
OUTPUTS = st.one_of(
    st.fixed_dictionaries(
        {
            "type": st.just("message"),
            "role": st.just("assistant"),
            "content": st.lists(OUTPUT_PARTS, max_size=3),
        },
        optional={"id": IDS, "status": st.just("completed"), "phase": SCALARS},
    ),
    st.fixed_dictionaries(
        {"type": st.just("reasoning"), "summary": st.lists(
            st.fixed_dictionaries({"type": st.just("summary_text"), "text": TEXTS}), max_size=2)},
        optional={"id": IDS, "encrypted_content": st.none() | TEXTS, "content": st.none() | st.lists(
            st.fixed_dictionaries({"type": st.just("reasoning_text"), "text": TEXTS}), max_size=2)},
    ),
    st.fixed_dictionaries(
        {"type": st.just("function_call"), "name": TEXTS, "arguments": TEXTS, "call_id": TEXTS},
        optional={"id": IDS, "status": st.just("completed"), "namespace": st.none()},
    ),
    st.fixed_dictionaries({"type": st.just("custom_tool_call"), "name": TEXTS, "input": TEXTS}),
    st.fixed_dictionaries({"type": st.just("x_of_the_future"), "x": TREES}),
)  # fmt: skip
WHOLE = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": "m"}


@given(
    output=st.lists(OUTPUTS, max_size=4),
    extra=st.dictionaries(st.sampled_from(["x", "user", "metadata"]), TREES),
)
def test_any_response_is_read_or_refused_and_what_is_read_can_be_replayed(output: Any, extra: Any) -> None:
    answer = read("application/json", json.dumps({**WHOLE, "output": output, **extra}).encode())
    if isinstance(answer, Incomplete):
        return
    restored = RESPONSES.restore(decode_document(encode_answer(answer)))
    assert restored == answer
    assert orjson.dumps(restored.document) == orjson.dumps(answer.document)
    for request in (ASKED, replace(ASKED, stream=True, stream_usage=True)):
        rendered = RESPONSES.render(answer, request)
        assert read(rendered.content_type, rendered.body) == answer
        assert rewritten(RESPONSES, rendered.content_type, rendered.body, let_pass) == rendered.body
        held = rewritten(RESPONSES, rendered.content_type, rendered.body, keep)
        again = read(rendered.content_type, held)
        assert isinstance(again, Answer)
        assert again.facts == answer.facts


EVENTS = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            ["response.created", "response.output_text.delta", "response.function_call_arguments.delta",
             "response.output_item.added", "response.output_item.done", "response.output_text.done",
             "response.completed", "response.incomplete", "response.failed", "error", "x"]
        )
    },
    optional={
        "response": TREES | st.just({**WHOLE, "output": []}), "item": TREES, "delta": TREES,
        "output_index": TREES, "content_index": TREES, "sequence_number": TREES, "error": TREES,
    },
)  # fmt: skip


@given(events=st.lists(EVENTS | TREES, max_size=8))
def test_no_events_of_a_pool_raise(events: list[Any]) -> None:
    body = b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events)
    assert isinstance(read("text/event-stream", body), Answer | Incomplete)
    for make in (keep, let_pass):
        rewritten(RESPONSES, "text/event-stream", body, make)
