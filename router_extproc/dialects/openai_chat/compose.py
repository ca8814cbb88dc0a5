"""A whole chat completion around a text: what warming makes of a known answer."""

from __future__ import annotations

from uuid import uuid4

from router_extproc.llm.answer import JsonValue


def compose_completion(text: str, *, model: str, now_s: float) -> dict[str, JsonValue]:
    """The object that a pool would have sent; `created` is now, the id is new."""
    message: JsonValue = {"role": "assistant", "content": text}
    return {
        "id": f"chatcmpl-{uuid4().hex}",
        "object": "chat.completion",
        "created": int(now_s),
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
    }
