"""What the stand-in pool answers on the paths of the Messages API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import orjson
from answers_openai import digest, example_of, text_for

Json = dict[str, Any]  # Any: JSON

_KINDS: Final = {400: "invalid_request_error", 404: "not_found_error", 429: "rate_limit_error"}


def error(status: int, message: str) -> Json:
    """The API's error object."""
    return {"type": "error", "error": {"type": _KINDS.get(status, "api_error"), "message": message}}


def _message(asked: Json) -> Json | Iterator[bytes]:
    whole: Json = {
        "id": f"msg_{digest(asked)}", "type": "message", "role": "assistant", "model": asked["model"],
        "content": _blocks(asked), "stop_reason": "end_turn", "stop_sequence": None,
        "usage": {"input_tokens": 9, "output_tokens": 8},
    }  # fmt: skip
    if whole["content"][-1]["type"] == "tool_use":
        whole["stop_reason"] = "tool_use"
    return _events(whole) if asked.get("stream") else whole


def _blocks(asked: Json) -> list[Json]:
    thought = {"type": "thinking", "thinking": "They ask about a city.", "signature": "c2lnbmVk"}
    before = [thought] if (asked.get("thinking") or {}).get("type") == "enabled" else []
    tools = asked.get("tools") or []
    if tools and not _has_result(asked):
        call = {"type": "tool_use", "id": "toolu_1", "name": tools[0]["name"],
                "input": example_of(tools[0].get("input_schema") or {})}  # fmt: skip
        return [*before, call]
    return [*before, {"type": "text", "text": text_for({})}]


def _has_result(asked: Json) -> bool:
    contents = [message["content"] for message in asked["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return any(block.get("type") == "tool_result" for block in blocks)


def _events(whole: Json) -> Iterator[bytes]:
    begun = {**whole, "content": [], "stop_reason": None, "usage": {"input_tokens": 9, "output_tokens": 0}}
    yield _event("message_start", message=begun)
    for index, block in enumerate(whole["content"]):
        empty, deltas = _pieces(block)
        yield _event("content_block_start", index=index, content_block=empty)
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta)
        yield _event("content_block_stop", index=index)
    end = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield _event("message_delta", delta=end, usage={"output_tokens": 8})
    yield _event("message_stop")


def _pieces(block: Json) -> tuple[Json, list[Json]]:
    """The block as it begins, and what is added to it."""
    match block["type"]:
        case "tool_use":
            text = orjson.dumps(block["input"]).decode()
            return {**block, "input": {}}, [
                {"type": "input_json_delta", "partial_json": piece} for piece in (text[:5], text[5:])
            ]
        case "thinking":
            thought = {"type": "thinking_delta", "thinking": block["thinking"]}
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [thought, signed]
        case _:
            half = len(block["text"]) // 2
            halves = (block["text"][:half], block["text"][half:])
            return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in halves]


def _count(_asked: Json) -> Json:
    return {"input_tokens": 9}


def _event(kind: str, **members: Any) -> bytes:  # Any: JSON
    event = {"type": kind, **members}
    return f"event: {kind}\n".encode() + b"data: " + orjson.dumps(event) + b"\n\n"


#: Path to what makes the answer: an object, or the events of a stream.
ENDPOINTS: Final[dict[str, Callable[[Json], Json | Iterator[bytes]]]] = {
    "/v1/messages": _message,
    "/v1/messages/count_tokens": _count,
}
