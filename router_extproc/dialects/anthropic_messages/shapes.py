"""The shapes that the Messages API prescribes for the members of a request.

Source: the Anthropic API reference, "Create a Message".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.dialects.shapes import (
    BOOLEAN,
    INTEGER,
    LIST,
    NUMBER,
    OBJECT,
    OBJECTS,
    STRING,
    STRING_OR_LIST,
    Shape,
)

CONTENT: Final = Shape(frozenset({str, list}), "a string or a list of content blocks")

#: Optional members of the body; null is the same as left out.
BODY: Final[Mapping[str, Shape]] = {
    "max_tokens": INTEGER,
    "metadata": OBJECT,
    "service_tier": STRING,
    "stop_sequences": LIST,
    "stream": BOOLEAN,
    "system": STRING_OR_LIST,
    "temperature": NUMBER,
    "thinking": OBJECT,
    "tool_choice": OBJECT,
    "tools": OBJECTS,
    "top_k": INTEGER,
    "top_p": NUMBER,
}
