"""The texts of a chat completion request: every string that a pool or its model may read as text.

A member that is not known counts as text: it is better to look at a name too much than to miss a text.
Source: the OpenAI API reference, "Create chat completion"; vLLM, ChatCompletionRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

from router_extproc.dialects.base import BodyText, TextForm, TextPart
from router_extproc.dialects.json_strings import Names, strings_of, text_of
from router_extproc.dialects.openai_chat.completion import CALL_MEMBERS, LEGACY_CALL

_MESSAGES: Final = "messages"
_CALLS: Final = "tool_calls"
_TOOLS: Final = frozenset({"tools", "functions"})
_PARTS: Final[Mapping[str, TextPart]] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "function": "tool",
}
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
        (_MESSAGES, "role"),
        (_MESSAGES, "tool_call_id"),
        (_MESSAGES, "content", "type"),
        (_MESSAGES, _CALLS, "id"),
        (_MESSAGES, _CALLS, "type"),
        *((_MESSAGES, _CALLS, kind, name) for kind, (name, _) in CALL_MEMBERS.items()),
        (_MESSAGES, LEGACY_CALL, "name"),
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
#: Texts that are JSON.
_JSON_TEXTS: Final = frozenset(
    {(_MESSAGES, _CALLS, "function", "arguments"), (_MESSAGES, LEGACY_CALL, "arguments")}
)
_MEDIA_DEPTH: Final = 2
#: Paths that are known; a client's own names must not fill the memory.
_KEPT_MAX: Final = 1024


def texts_of(body: bytes) -> Iterator[BodyText]:
    """See dialects.base.RequestDialect.texts."""
    strings = list(strings_of(body))
    roles: dict[int, TextPart] = {}
    for names, element, start, end in strings:
        if names == (_MESSAGES, "role"):
            roles[element] = _PARTS.get(text_of(body[start:end].decode()), "other")
    for names, element, start, end in strings:
        form = _form(names) if len(names) <= _MEMBERS_MAX else "text"
        if form is not None:
            yield BodyText(start, end, form, _part(names, roles.get(element, "other")))


#: Longer paths are of a client's own making.
_MEMBERS_MAX: Final = 8


@lru_cache(maxsize=_KEPT_MAX)
def _form(names: Names) -> TextForm | None:
    """How the string of this path is read; None: it is no text."""
    if names in _NO_TEXTS or _is_media(names):
        return None
    return "json" if names in _JSON_TEXTS else "text"


def _is_media(names: Names) -> bool:
    return len(names) > _MEDIA_DEPTH and names[:2] == (_MESSAGES, "content") and names[2] in _MEDIA


def _part(names: Names, role: TextPart) -> TextPart:
    if not names or names[0] != _MESSAGES:
        return "tools" if names and names[0] in _TOOLS else "other"
    return "tool_calls" if len(names) > 1 and names[1] in {_CALLS, LEGACY_CALL} else role
