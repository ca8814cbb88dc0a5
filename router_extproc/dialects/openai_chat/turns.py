"""The turns of a chat completion request, and what it is made of beside text, in the neutral form.

Source: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from router_extproc.dialects.openai_chat.completion import CALL_MEMBERS, LEGACY_CALL
from router_extproc.dialects.openai_members import is_json_asked, is_schema_asked
from router_extproc.llm.answer import JsonObject, JsonValue, ToolCall
from router_extproc.llm.request import Contents, Role, Turn

_TURN_ROLES: Final[Mapping[str, Role]] = {
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
_Attachment = Literal["images", "audio", "files"]
#: Kind of part to what it is; text and refusals are no attachments, every other kind counts as a file.
_ATTACHMENTS: Final[Mapping[str, _Attachment]] = {
    "image_url": "images",
    "image_embeds": "images",
    "input_image": "images",
    "image_pil": "images",
    "input_audio": "audio",
    "audio_url": "audio",
}
_TEXTS: Final = frozenset({"text", "refusal", "input_text", "output_text", "thinking"})
#: Members that tell what a part without a kind is.
_TELLING: Final = ("text", "refusal", *_ATTACHMENTS)


def turn_of(message: JsonObject, text: str) -> Turn | None:
    """The message as a turn; None: its role is a system prompt's, or one that only the pool knows."""
    role = _TURN_ROLES.get(str(message["role"]))
    if role is None:
        return None
    calls = "tool_calls" in message or LEGACY_CALL in message
    return Turn(role, text, tuple(_tool_calls(message)) if calls else ())


def kind_of(part: JsonObject) -> str:
    """The kind that a part says, or that its members tell; "": none that is known."""
    kind = part.get("type")
    if type(kind) is str:
        return kind
    return next((name for name in _TELLING if name in part), "")


def contents_of(document: JsonObject, messages: Sequence[JsonObject]) -> Contents:
    """What the request is made of beside text."""
    found = {"images": 0, "audio": 0, "files": 0}
    for message in messages:
        content = message.get("content")
        for part in content if type(content) is list else ():
            if type(part) is dict and (kind := kind_of(part)) not in _TEXTS:
                found[_ATTACHMENTS.get(kind, "files")] += 1
    asked, schema = is_json_asked(document), is_schema_asked(document)
    return Contents(_tools_offered(document), **found, json_asked=asked, schema_asked=schema)


def _tool_calls(message: JsonObject) -> Iterator[ToolCall]:
    calls = message.get("tool_calls")
    for call in calls if type(calls) is list else ():
        if type(call) is dict:
            for kind, (name, text) in CALL_MEMBERS.items():
                yield from _call(call.get(kind), name, text)
    yield from _call(message.get(LEGACY_CALL), *CALL_MEMBERS["function"])


def _call(called: JsonValue, name: str, text: str) -> Iterator[ToolCall]:
    if type(called) is dict:
        arguments = called.get(text)
        yield ToolCall(str(called.get(name) or ""), arguments if type(arguments) is str else "")


def _tools_offered(document: JsonObject) -> int:
    lists = (document.get("tools"), document.get("functions"))
    return sum(len(each) for each in lists if type(each) is list)
