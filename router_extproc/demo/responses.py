"""The stand-in pools' Responses API: the same fixed texts, in that API's objects and events.

As a vLLM as it is started, a pool keeps none of its answers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from router_extproc.demo.texts import Asked, answer_text, count_tokens, pieces, read_request
from router_extproc.llm.answer import JsonValue

JsonObject = dict[str, JsonValue]


def read_response_request(body: object) -> Asked | None:
    """What was asked, or None when it is no Responses request."""
    if not isinstance(body, dict):
        return None
    given = body.get("input")
    items = [{"role": "user", "content": given}] if isinstance(given, str) else given
    messages = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else None
    asked = read_request({**body, "messages": messages, "tool_choice": None})
    return None if asked is None else replace(asked, tool=_demanded_tool(body))


def response(head: JsonObject, pool: str, asked: Asked) -> JsonObject:
    """The answer as one object; `head`: what all its answers have, with its id."""
    item = _item(str(head["id"]), pool, asked)
    completion = count_tokens(str(asked.tool) if asked.tool else answer_text(pool, asked.question))
    return {
        **head,
        "object": "response",
        "status": "completed",
        "error": None,
        "incomplete_details": None,
        "output": [item],
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "usage": {
            "input_tokens": asked.prompt_tokens,
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": completion,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": asked.prompt_tokens + completion,
        },
    }


def response_events(whole: JsonObject) -> Iterator[JsonObject]:
    """The events of the answer as a stream."""
    for number, event in enumerate(_events(whole)):
        yield {**event, "sequence_number": number}


def _events(whole: JsonObject) -> Iterator[JsonObject]:
    output = whole["output"]
    item = dict(output[0]) if isinstance(output, list) and isinstance(output[0], dict) else {}
    begun: JsonObject = {**whole, "status": "in_progress", "output": [], "usage": None}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    empty: JsonObject = {"content": []} if item["type"] == "message" else {"arguments": ""}
    yield {
        "type": "response.output_item.added",
        "output_index": 0,
        "item": {**item, **empty, "status": "in_progress"},
    }
    yield from _inside(item)
    yield {"type": "response.output_item.done", "output_index": 0, "item": item}
    yield {"type": "response.completed", "response": whole}


def _inside(item: JsonObject) -> Iterator[JsonObject]:
    here: JsonObject = {"item_id": item["id"], "output_index": 0}
    match item:
        case {"content": [dict() as part]}:
            here["content_index"] = 0
            yield {"type": "response.content_part.added", **here, "part": {**part, "text": ""}}
            for piece in pieces(str(part["text"])):
                yield {"type": "response.output_text.delta", **here, "delta": piece, "logprobs": []}
            yield {"type": "response.output_text.done", **here, "text": part["text"], "logprobs": []}
            yield {"type": "response.content_part.done", **here, "part": part}
        case {"arguments": arguments}:
            yield {"type": "response.function_call_arguments.delta", **here, "delta": arguments}
            yield {"type": "response.function_call_arguments.done", **here, "arguments": arguments}


def _item(identity: str, pool: str, asked: Asked) -> JsonObject:
    number = identity.partition("_")[2]
    if asked.tool is not None:
        call: JsonObject = {"call_id": f"call_{pool}", "name": asked.tool, "arguments": "{}"}
        return {"id": f"fc_{number}", "type": "function_call", "status": "completed", **call}
    part: JsonObject = {"type": "output_text", "annotations": [], "logprobs": []}
    part["text"] = answer_text(pool, asked.question)
    message: JsonObject = {
        "id": f"msg_{number}",
        "type": "message",
        "role": "assistant",
        "status": "completed",
    }
    return {**message, "content": [part]}


def _demanded_tool(body: Mapping[str, object]) -> str | None:
    match body.get("tool_choice"), body.get("tools"):
        case {"type": "function", "name": str(name)}, _:
            return name
        case "required", [{"name": str(name)}, *_]:
            return name
    return None
