"""Renders messages from the cache, and errors, for the client.

A replay is one body, also where a stream was asked for. Read again, both forms give the answer that they
were made from.
Source: the Anthropic API reference, "Streaming Messages" and "Errors".
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.dialects.members import a_list, an_object
from router_extproc.errors import RequestError
from router_extproc.llm.answer import Answer, JsonObject, JsonValue

JSON_TYPE: Final = "application/json"
SSE_TYPE: Final = "text/event-stream"
#: HTTP status to the kind of error.
_KINDS: Final = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    504: "timeout_error",
}
_SERVER_ERROR: Final = 500


def render_json(answer: Answer) -> Rendered:
    """One message object."""
    return Rendered(JSON_TYPE, orjson.dumps(answer.document))


def render_stream(answer: Answer) -> Rendered:
    """The whole event stream."""
    events = [b"event: %s\ndata: %s\n\n" % (_name(event), orjson.dumps(event)) for event in _events(answer)]
    return Rendered(SSE_TYPE, b"".join(events))


def render_error(error: RequestError) -> Rendered:
    """The API's error object."""
    default = "api_error" if error.status >= _SERVER_ERROR else "invalid_request_error"
    kind = _KINDS.get(error.status, default)
    document = {"type": "error", "error": {"type": kind, "message": error.message}}
    return Rendered(JSON_TYPE, orjson.dumps(document))


def _name(event: JsonObject) -> bytes:
    return str(event["type"]).encode()


def _events(answer: Answer) -> Iterator[JsonObject]:
    message = dict(answer.document)
    content, usage = a_list(message["content"]), message["usage"]
    stop: JsonObject = {name: message[name] for name in ("stop_reason", "stop_sequence")}
    begun: JsonObject = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": begun}
    for index, block in enumerate(content):
        start, deltas = _parts(an_object(block))
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": stop, "usage": usage}
    yield {"type": "message_stop"}


def _parts(block: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    """How a block begins, and the deltas that make the rest of it."""
    match block["type"]:
        case "text":
            start: JsonObject = {**block, "text": ""}
            return start, [{"type": "text_delta", "text": block["text"]}] if block["text"] else []
        case "thinking":
            return _thinking(block)
        case "tool_use":
            return {**block, "input": {}}, _input(block["input"])
        case _:
            return block, []


def _thinking(block: JsonObject) -> tuple[JsonObject, list[JsonObject]]:
    deltas: list[JsonObject] = []
    start = dict(block)
    for kind, member in (("thinking_delta", "thinking"), ("signature_delta", "signature")):
        if isinstance(block.get(member), str):
            start[member] = ""
            deltas.append({"type": kind, member: block[member]})
    return start, deltas


def _input(value: JsonValue) -> list[JsonObject]:
    if not value:
        return []
    return [{"type": "input_json_delta", "partial_json": orjson.dumps(value).decode()}]
