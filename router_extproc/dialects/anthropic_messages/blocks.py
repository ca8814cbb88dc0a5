"""Content blocks of the Messages API: as turns of the neutral form, and as parts of a cache key.

Source: the Anthropic API reference, "Create a Message", content blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, TypeVar

import orjson

from router_extproc.dialects.scalars import is_one_of
from router_extproc.llm.answer import JsonObject, JsonValue, ToolCall
from router_extproc.llm.request import Contents, Role, Turn

#: Roles that have a turn; any other stays in the context alone.
_ROLES: Final[dict[str, Role]] = {"user": "user", "assistant": "assistant"}
#: Where a provider keeps a computed prefix: it changes the price and never the answer.
_HINT: Final = "cache_control"
_FILES: Final = frozenset({"document", "container_upload", "search_result"})
#: What tools returned: the client's own, and those that the provider ran (`mcp_tool_result`).
_RESULT: Final = "tool_result"
#: Material that no one in the conversation wrote: read like what tools returned.
_MATERIAL: Final = frozenset({"document", "search_result"})
#: Members of such blocks, and of blocks inside them, that the model reads as text ...
_TEXTS: Final = ("title", "context", "text", "stdout", "stderr")
#: ... and those that hold further blocks: content of a document of blocks, of a fetched page, lies this deep.
_INNER: Final = ("content", "source")
_DEPTH_MAX: Final = 6

ValueT = TypeVar("ValueT", bound=JsonValue)


def turns_of_blocks(role: str, blocks: Sequence[JsonObject]) -> Iterator[Turn]:
    """The turns that one message is: each tool result and document by itself, then what the role says."""
    known = _ROLES.get(role)
    if known is not None and len(blocks) == 1 and blocks[0]["type"] == "text":
        yield Turn(known, str(blocks[0]["text"]))
        return
    for block in blocks:
        if _is_result(block) or block["type"] in _MATERIAL:
            yield Turn("tool", material_text(block), failed=block.get("is_error") is True)
    said = [block for block in blocks if not _is_result(block)]
    if known is None or not said:
        return
    text = "\n".join(str(block["text"]) for block in said if block["type"] == "text")
    yield Turn(known, text, tuple(_call(block) for block in said if block["type"] == "tool_use"))


def material_text(block: JsonObject) -> str:
    """All that the model reads as text in a tool result or a document, joined by newlines."""
    return "\n".join(_texts_in(block, _DEPTH_MAX))


def _is_result(block: JsonObject) -> bool:
    return str(block["type"]).endswith(_RESULT)


def _texts_in(block: JsonObject, depth: int) -> Iterator[str]:
    yield from (text for name in _TEXTS if isinstance(text := block.get(name), str))
    if block.get("type") == "text" and isinstance(data := block.get("data"), str):
        # The source of a document of plain text.
        yield data
    if isinstance(content := block.get("content"), str):
        yield content
    inner = (block.get(name) for name in _INNER) if depth else ()
    for value in inner:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                yield from _texts_in(each, depth - 1)


def contents_of(document: JsonObject, blocks: Sequence[JsonObject]) -> Contents:
    """What the request is made of beside text; pictures in tool results count, too."""
    images = files = 0
    for block in _with_results(blocks):
        images += block.get("type") == "image"
        files += is_one_of(block.get("type"), _FILES)
    tools = document.get("tools")
    offered = len(tools) if isinstance(tools, list) else 0
    asked = _is_json_asked(document)
    return Contents(offered, images, files=files, json_asked=asked, schema_asked=asked)


def without_text(blocks: Sequence[JsonObject]) -> list[JsonObject]:
    """The blocks with holes where their text was.

    With several text blocks, each keeps its number of line breaks: together with the joined prompt that
    tells where one ends and the next begins.
    """
    several = sum(block["type"] == "text" for block in blocks) > 1
    return [_with_hole(block, several=several) if block["type"] == "text" else block for block in blocks]


def without_hints(value: ValueT) -> ValueT:
    """The value without cache hints, at any depth that matters: in blocks, tools and tool results."""
    if isinstance(value, list):
        return [without_hints(each) for each in value]  # type: ignore[return-value] # a list of JSON is one
    if not isinstance(value, dict):
        return value
    inner = value.get("content")
    if _HINT not in value and not isinstance(inner, list):
        return value
    kept = {name: member for name, member in value.items() if name != _HINT}
    if isinstance(inner, list):
        kept["content"] = without_hints(inner)
    return kept  # type: ignore[return-value] # an object stays one


def _with_hole(block: JsonObject, *, several: bool) -> JsonObject:
    return {**block, "text": str(block["text"]).count("\n") if several else None}


def _call(block: JsonObject) -> ToolCall:
    arguments = orjson.dumps(block.get("input") or {}, option=orjson.OPT_SORT_KEYS)
    return ToolCall(str(block.get("name") or ""), arguments.decode())


def _with_results(blocks: Sequence[JsonObject]) -> Iterator[JsonObject]:
    for block in blocks:
        yield block
        content = block.get("content")
        if block["type"] == "tool_result" and isinstance(content, list):
            yield from (part for part in content if isinstance(part, dict))


def _is_json_asked(document: JsonObject) -> bool:
    """Newer and older member for a schema of the answer."""
    output = document.get("output_config")
    wanted = output.get("format") if isinstance(output, dict) else document.get("output_format")
    return isinstance(wanted, dict) and wanted.get("type") == "json_schema"
