"""What the stand-in pool answers on OpenAI's paths: objects as vLLM makes them, from the request alone."""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson

CREATED: Final = 1_700_000_000
#: Numbers of an embedding.
DIMENSIONS: Final = 8

Json = dict[str, Any]  # Any: JSON


def error(status: int, message: str) -> Json:
    """VLLM's error object."""
    return {"error": {"message": message, "type": "Error", "param": None, "code": status}}


def digest(asked: Json) -> str:
    """The same request has the same one, streamed or not."""
    text = orjson.dumps({**asked, "stream": None, "stream_options": None}, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:24]


def example_of(schema: Json, named: Json | None = None) -> Any:  # noqa: PLR0911 - JSON, a kind a line
    """A value that fits a schema."""
    named = schema.get("$defs", named or {})
    if "$ref" in schema:
        return example_of(named[schema["$ref"].rpartition("/")[2]], named)
    if "enum" in schema:
        return schema["enum"][0]
    match schema.get("type"):
        case "integer" | "number":
            return 36
        case "boolean":
            return True
        case "array":
            return [example_of(schema.get("items", {}), named)]
        case "object":
            return {name: example_of(each, named) for name, each in schema.get("properties", {}).items()}
        case _:
            return "Ada"


def wanted_tool(asked: Json) -> tuple[str, str] | None:
    """Name and arguments of the call that the model makes; None: it answers with a text."""
    tools = asked.get("tools") or []
    if not tools or any(message["role"] == "tool" for message in asked["messages"]):
        return None
    function = tools[0]["function"]
    return function["name"], orjson.dumps(example_of(function.get("parameters", {}))).decode()


def text_for(asked: Json) -> str:
    """The answer in words, or in JSON where that is asked for."""
    form = asked.get("response_format") or {}
    if form.get("type") == "json_schema":
        return orjson.dumps(example_of(form["json_schema"]["schema"])).decode()
    if form.get("type") == "json_object":
        return '{"name": "Ada", "age": 36}'
    return "Paris is the capital of France. \U0001f5fc  Prices there are “high”.\n"


def _chat(asked: Json) -> Json | Iterator[bytes]:
    return _chat_events(asked) if asked.get("stream") else _chat_object(asked)


def _chat_object(asked: Json) -> Json:
    call = wanted_tool(asked)
    message: Json = {"role": "assistant", "content": text_for(asked) if call is None else None}
    if call is not None:
        message["tool_calls"] = [_call(call)]
    choices = [
        {"index": index, "message": message, "logprobs": None, "finish_reason": _reason(call)}
        for index in range(asked.get("n") or 1)
    ]
    return {**_head(asked, "chat.completion"), "choices": choices, "usage": _usage()}


def _chat_events(asked: Json) -> Iterator[bytes]:
    call, head = wanted_tool(asked), _head(asked, "chat.completion.chunk")
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    if call is None:
        deltas += [{"content": piece} for piece in text_for(asked).split(" ")]
    else:
        name, arguments = call
        half = len(arguments) // 2
        deltas.append({"tool_calls": [{**_call((name, "")), "index": 0}]})
        deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}
            for piece in (arguments[:half], arguments[half:])
        ]
    for delta in deltas:
        yield _data({**head, "choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    yield _data({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": _reason(call)}]})
    if (asked.get("stream_options") or {}).get("include_usage"):
        yield _data({**head, "choices": [], "usage": _usage()})
    yield b"data: [DONE]\n\n"


def _call(call: tuple[str, str]) -> Json:
    name, arguments = call
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def _reason(call: tuple[str, str] | None) -> str:
    return "stop" if call is None else "tool_calls"


def _completion(asked: Json) -> Json | Iterator[bytes]:
    head = {**_head(asked, "text_completion"), "id": f"cmpl-{digest(asked)}"}
    text = text_for(asked)
    if asked.get("stream"):
        return _completion_events(asked, head, text)
    choice = {"index": 0, "text": text, "logprobs": None, "finish_reason": "stop"}
    return {**head, "choices": [choice], "usage": _usage()}


def _completion_events(asked: Json, head: Json, text: str) -> Iterator[bytes]:
    for piece in text.split(" "):
        choice: Json = {"index": 0, "text": piece, "logprobs": None, "finish_reason": None}
        yield _data({**head, "choices": [choice]})
    end = {"index": 0, "text": "", "logprobs": None, "finish_reason": "stop"}
    yield _data({**head, "choices": [end]})
    if (asked.get("stream_options") or {}).get("include_usage"):
        yield _data({**head, "choices": [], "usage": _usage()})
    yield b"data: [DONE]\n\n"


def _embeddings(asked: Json) -> Json:
    given = asked["input"]
    inputs = [given] if isinstance(given, str) else given
    vectors = (_vector(text) for text in inputs)
    data = [
        {"object": "embedding", "index": index, "embedding": _encoded(vector, asked.get("encoding_format"))}
        for index, vector in enumerate(vectors)
    ]
    usage = {"prompt_tokens": 5 * len(inputs), "total_tokens": 5 * len(inputs)}
    return {"object": "list", "model": asked["model"], "data": data, "usage": usage}


def _vector(text: str) -> list[float]:
    seed = hashlib.sha256(str(text).encode()).digest()
    return [byte / 256 for byte in seed[:DIMENSIONS]]


def _encoded(vector: list[float], form: str | None) -> str | list[float]:
    if form != "base64":
        return vector
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()


def _moderation(asked: Json) -> Json:
    return {"id": "modr-1", "model": asked["model"], "results": [{"flagged": False, "categories": {},
            "category_scores": {}, "category_applied_input_types": {}}]}  # fmt: skip


def _transcription(_asked: Json) -> Json:
    return {"text": "Good morning.", "usage": {"type": "duration", "seconds": 1}}


def _response(asked: Json) -> Json | Iterator[bytes]:
    whole = _response_object(asked)
    return _response_events(whole) if asked.get("stream") else whole


def _response_object(asked: Json) -> Json:
    usage = {"input_tokens": 9, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 8,
             "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 17}  # fmt: skip
    return {
        "id": f"resp_{digest(asked)}", "object": "response", "created_at": CREATED, "status": "completed",
        "model": asked["model"], "output": [_item(asked)], "parallel_tool_calls": True, "tool_choice": "auto",
        "tools": asked.get("tools") or [], "instructions": asked.get("instructions"), "error": None,
        "incomplete_details": None, "metadata": {}, "temperature": 1.0, "top_p": 1.0, "usage": usage,
    }  # fmt: skip


def _item(asked: Json) -> Json:
    tools, given = asked.get("tools") or [], asked["input"]
    answered = isinstance(given, list) and any(each.get("type") == "function_call_output" for each in given)
    if tools and not answered:
        arguments = orjson.dumps(example_of(tools[0].get("parameters") or {})).decode()
        return {"id": "fc_1", "type": "function_call", "call_id": "call_1", "name": tools[0]["name"],
                "arguments": arguments, "status": "completed"}  # fmt: skip
    form = (asked.get("text") or {}).get("format") or {}
    schema = form.get("schema")
    text = orjson.dumps(example_of(schema)).decode() if schema else text_for({})
    return {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}]}  # fmt: skip


def _response_events(whole: Json) -> Iterator[bytes]:
    begun = {**whole, "status": "in_progress", "output": [], "usage": None}
    item = whole["output"][0]
    steps = [("response.created", {"response": begun}), ("response.in_progress", {"response": begun})]
    steps += _call_steps(item) if item["type"] == "function_call" else _text_steps(item)
    steps.append(("response.completed", {"response": whole}))
    for number, (kind, members) in enumerate(steps):
        event = {"type": kind, "sequence_number": number, **members}
        yield f"event: {kind}\n".encode() + _data(event)


def _text_steps(item: Json) -> list[tuple[str, Json]]:
    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    part = item["content"][0]
    pieces = part["text"].split(" ")
    empty = {**item, "status": "in_progress", "content": []}
    deltas = [("response.output_text.delta", {**at, "delta": each, "logprobs": []})
              for each in [*(f"{piece} " for piece in pieces[:-1]), pieces[-1]]]  # fmt: skip
    return [
        ("response.output_item.added", {"output_index": 0, "item": empty}),
        ("response.content_part.added", {**at, "part": {**part, "text": ""}}),
        *deltas,
        ("response.output_text.done", {**at, "text": part["text"], "logprobs": []}),
        ("response.content_part.done", {**at, "part": part}),
        ("response.output_item.done", {"output_index": 0, "item": item}),
    ]


def _call_steps(item: Json) -> list[tuple[str, Json]]:
    at = {"item_id": item["id"], "output_index": 0}
    empty = {**item, "status": "in_progress", "arguments": ""}
    return [
        ("response.output_item.added", {"output_index": 0, "item": empty}),
        ("response.function_call_arguments.delta", {**at, "delta": item["arguments"]}),
        (
            "response.function_call_arguments.done",
            {**at, "name": item["name"], "arguments": item["arguments"]},
        ),
        ("response.output_item.done", {"output_index": 0, "item": item}),
    ]


def _head(asked: Json, kind: str) -> Json:
    return {"id": f"chatcmpl-{digest(asked)}", "object": kind, "created": CREATED, "model": asked["model"]}


def _usage() -> Json:
    return {"prompt_tokens": 9, "completion_tokens": 8, "total_tokens": 17, "prompt_tokens_details": None}


def _data(value: Json) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


#: Path to what makes the answer: an object, or the events of a stream.
ENDPOINTS: Final[dict[str, Callable[[Json], Json | Iterator[bytes]]]] = {
    "/v1/chat/completions": _chat,
    "/v1/completions": _completion,
    "/v1/embeddings": _embeddings,
    "/v1/moderations": _moderation,
    "/v1/audio/transcriptions": _transcription,
    "/v1/responses": _response,
}
