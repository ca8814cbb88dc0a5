"""The stand-in pools' Messages API: the same fixed texts, in that API's objects and events."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from router_extproc.demo.texts import Asked, answer_text, count_tokens, pieces, read_request
from router_extproc.llm.answer import JsonValue

JsonObject = dict[str, JsonValue]


def read_message_request(body: object) -> Asked | None:
    """What was asked, or None when it is no Messages request."""
    asked = read_request(body)
    if asked is None or not isinstance(body, dict) or not isinstance(body.get("max_tokens"), int):
        return None
    match body.get("tool_choice"), body.get("tools"):
        case {"type": "tool", "name": str(name)}, _:
            return replace(asked, tool=name)
        case {"type": "any"}, [{"name": str(name)}, *_]:
            return replace(asked, tool=name)
    return replace(asked, tool=None)


def message(identity: str, served_name: str, pool: str, asked: Asked) -> JsonObject:
    """The answer as one object."""
    block = _block(pool, asked)
    return {
        "id": identity,
        "type": "message",
        "role": "assistant",
        "model": served_name,
        "content": [block],
        "stop_reason": "end_turn" if asked.tool is None else "tool_use",
        "stop_sequence": None,
        "usage": _usage(asked, block),
    }


def message_events(whole: JsonObject) -> Iterator[JsonObject]:
    """The events of the answer as a stream."""
    content = whole["content"]
    block = dict(content[0]) if isinstance(content, list) and isinstance(content[0], dict) else {}
    begun: JsonObject = {**whole, "content": [], "stop_reason": None}
    yield {"type": "message_start", "message": begun}
    start: JsonObject = {**block, "text": ""} if block["type"] == "text" else {**block, "input": {}}
    yield {"type": "content_block_start", "index": 0, "content_block": start}
    for delta in _deltas(block):
        yield {"type": "content_block_delta", "index": 0, "delta": delta}
    yield {"type": "content_block_stop", "index": 0}
    stop: JsonObject = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": stop, "usage": whole["usage"]}
    yield {"type": "message_stop"}


def message_error(status: int, text: str) -> JsonObject:
    """The error object."""
    kind = "not_found_error" if status == 404 else "invalid_request_error"  # noqa: PLR2004 - HTTP's own number
    return {"type": "error", "error": {"type": kind, "message": text}}


def _block(pool: str, asked: Asked) -> JsonObject:
    if asked.tool is None:
        return {"type": "text", "text": answer_text(pool, asked.question)}
    return {"type": "tool_use", "id": f"toolu_{pool}", "name": asked.tool, "input": {}}


def _deltas(block: JsonObject) -> Iterator[JsonObject]:
    if block["type"] == "text":
        for piece in pieces(str(block["text"])):
            yield {"type": "text_delta", "text": piece}
    else:
        yield {"type": "input_json_delta", "partial_json": "{}"}


def _usage(asked: Asked, block: JsonObject) -> JsonObject:
    said = str(block.get("text") or asked.tool)
    return {"input_tokens": asked.prompt_tokens, "output_tokens": count_tokens(said)}
