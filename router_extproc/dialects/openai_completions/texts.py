"""The texts of a completion request: every string that a pool or its model may read as text.

Source: the OpenAI API reference, "Create completion"; vLLM, CompletionRequest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.dialects.base import BodyText, TextPart
from router_extproc.dialects.json_strings import Names
from router_extproc.dialects.texts import StringForm, TextRules, find_texts

#: Members that are no text, each as a path from the top.
_NO_TEXTS: Final = frozenset(
    {
        ("model",),
        ("cache_salt",),
        ("prompt_embeds",),
        ("request_id",),
        ("session_id",),
        ("truncation_side",),
        ("response_format", "type"),
    }
)


def texts_of(body: bytes) -> Iterator[BodyText]:
    """See dialects.base.RequestDialect.texts."""
    return find_texts(body, _RULES)


def _form(names: Names) -> StringForm:
    return "none" if names in _NO_TEXTS else "text"


def _part(names: Names, role: TextPart) -> TextPart:
    del names, role
    return "user"


_RULES: Final = TextRules(_form, _part, {}, frozenset({"prompt", "suffix"}))
