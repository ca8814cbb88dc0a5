"""The shapes that the chat completions API prescribes for the members of a request.

Source: the OpenAI API reference, "Create chat completion".
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
    STRING_OR_OBJECT,
    Shape,
)

CONTENT: Final = Shape(frozenset({str, list}), "a string or a list of parts")

#: Optional members of the body; null is the same as left out.
BODY: Final[Mapping[str, Shape]] = {
    "audio": OBJECT,
    "frequency_penalty": NUMBER,
    "function_call": STRING_OR_OBJECT,
    "functions": OBJECTS,
    "logit_bias": OBJECT,
    "logprobs": BOOLEAN,
    "max_completion_tokens": INTEGER,
    "max_tokens": INTEGER,
    "metadata": OBJECT,
    "modalities": LIST,
    "n": INTEGER,
    "parallel_tool_calls": BOOLEAN,
    "prediction": OBJECT,
    "presence_penalty": NUMBER,
    "reasoning_effort": STRING,
    "response_format": OBJECT,
    "seed": INTEGER,
    "service_tier": STRING,
    "stop": STRING_OR_LIST,
    "store": BOOLEAN,
    "stream": BOOLEAN,
    "stream_options": OBJECT,
    "temperature": NUMBER,
    "tool_choice": STRING_OR_OBJECT,
    "tools": OBJECTS,
    "top_logprobs": INTEGER,
    "top_p": NUMBER,
    "user": STRING,
}
#: Members that pools ignore, of whatever type they are.
_IGNORED: Final = frozenset(
    {"audio", "function_call", "metadata", "modalities", "prediction", "service_tier", "store"}
)
#: What is checked of a client's body; of an operator's parameters all of `BODY` is.
CHECKED: Final[Mapping[str, Shape]] = {name: shape for name, shape in BODY.items() if name not in _IGNORED}
#: Optional members of a message.
MESSAGE: Final[Mapping[str, Shape]] = {
    "audio": OBJECT,
    "content": CONTENT,
    "function_call": OBJECT,
    "name": STRING,
    "refusal": STRING,
    "tool_call_id": STRING,
    "tool_calls": OBJECTS,
}
