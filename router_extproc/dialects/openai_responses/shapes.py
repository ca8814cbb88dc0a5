"""The shapes that the Responses API prescribes for the members of a request.

Source: the OpenAI API reference, "Create a model response".
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
    STRING_OR_OBJECT,
    Shape,
)

INPUT: Final = Shape(frozenset({str, list}), "a string or a list of items")
CONTENT: Final = Shape(frozenset({str, list}), "a string or a list of parts")

#: Optional members of the body; null is the same as left out.
BODY: Final[Mapping[str, Shape]] = {
    "background": BOOLEAN,
    "conversation": STRING_OR_OBJECT,
    "include": LIST,
    "input": INPUT,
    "instructions": STRING,
    "max_output_tokens": INTEGER,
    "max_tool_calls": INTEGER,
    "metadata": OBJECT,
    "parallel_tool_calls": BOOLEAN,
    "previous_response_id": STRING,
    "prompt": OBJECT,
    "prompt_cache_key": STRING,
    "prompt_cache_retention": STRING,
    "reasoning": OBJECT,
    "safety_identifier": STRING,
    "service_tier": STRING,
    "store": BOOLEAN,
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "temperature": NUMBER,
    "text": OBJECT,
    "tool_choice": STRING_OR_OBJECT,
    "tools": OBJECTS,
    "top_logprobs": INTEGER,
    "top_p": NUMBER,
    "truncation": STRING,
    "user": STRING,
}
