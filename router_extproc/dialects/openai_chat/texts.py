"""The texts of a chat completion request: every string that a pool or its model may read as text.

Source: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.dialects.base import BodyText, TextPart
from router_extproc.dialects.json_strings import Names
from router_extproc.dialects.openai_chat.completion import CALL_MEMBERS, LEGACY_CALL
from router_extproc.dialects.texts import MESSAGES, StringForm, TextRules, find_texts

_CALLS: Final = "tool_calls"
#: Members that are no text, each as a path from the top.
_NO_TEXTS: Final = frozenset(
    {
        ("model",),
        ("cache_salt",),
        ("chat_template",),
        ("request_id",),
        ("reasoning_effort",),
        ("service_tier",),
        ("tool_choice",),
        (MESSAGES, "role"),
        (MESSAGES, "tool_call_id"),
        (MESSAGES, "content", "type"),
        (MESSAGES, _CALLS, "id"),
        (MESSAGES, _CALLS, "type"),
        *((MESSAGES, _CALLS, kind, name) for kind, (name, _) in CALL_MEMBERS.items()),
        (MESSAGES, LEGACY_CALL, "name"),
        ("response_format", "type"),
        ("tools", "type"),
        ("tools", "function", "name"),
        ("functions", "name"),
    }
)
#: Parts of a message that are media, not text: their bytes, or where they are.
_MEDIA: Final = frozenset(
    {
        "audio", "audio_url", "file", "image_embeds", "image_pil", "image_url", "input_audio", "input_image",
        "video", "video_url",
    }
)  # fmt: skip
_JSON_TEXTS: Final = frozenset(
    {(MESSAGES, _CALLS, "function", "arguments"), (MESSAGES, LEGACY_CALL, "arguments")}
)


def texts_of(body: bytes) -> Iterator[BodyText]:
    """See dialects.base.RequestDialect.texts."""
    return find_texts(body, _RULES)


def _form(names: Names) -> StringForm:
    if names in _NO_TEXTS or (names[:2] == (MESSAGES, "content") and not _MEDIA.isdisjoint(names[2:3])):
        return "none"
    return "json" if names in _JSON_TEXTS else "text"


def _part(names: Names, role: TextPart) -> TextPart:
    return "tool_calls" if len(names) > 1 and names[1] in {_CALLS, LEGACY_CALL} else role


_RULES: Final = TextRules(
    _form,
    _part,
    {
        "system": "system",
        "developer": "system",
        "user": "user",
        "assistant": "assistant",
        "tool": "tool",
        "function": "tool",
    },
)
