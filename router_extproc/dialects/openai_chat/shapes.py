"""The shapes that the chat completions API prescribes for the members of a request.

It is not a validator of values: ranges, names of roles and kinds of parts are the pool's to judge,
because pools extend them. The rule it keeps: a wrong shape is refused with the path of its field.
Source: the OpenAI API reference, "Create chat completion".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.dialects.json_body import JsonObject
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import JsonValue


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON types a member may have, and how an error message calls them."""

    types: frozenset[type]
    words: str


_BOOLEAN: Final = Shape(frozenset({bool}), "true or false")
_INTEGER: Final = Shape(frozenset({int}), "an integer")
_NUMBER: Final = Shape(frozenset({int, float}), "a number")
_STRING: Final = Shape(frozenset({str}), "a string")
_OBJECT: Final = Shape(frozenset({dict}), "an object")
_LIST: Final = Shape(frozenset({list}), "a list")
_STRING_OR_LIST: Final = Shape(frozenset({str, list}), "a string or a list")
_STRING_OR_OBJECT: Final = Shape(frozenset({str, dict}), "a string or an object")

#: Optional members of the body; null is the same as left out.
BODY: Final[Mapping[str, Shape]] = {
    "audio": _OBJECT,
    "frequency_penalty": _NUMBER,
    "function_call": _STRING_OR_OBJECT,
    "functions": _LIST,
    "logit_bias": _OBJECT,
    "logprobs": _BOOLEAN,
    "max_completion_tokens": _INTEGER,
    "max_tokens": _INTEGER,
    "metadata": _OBJECT,
    "modalities": _LIST,
    "n": _INTEGER,
    "parallel_tool_calls": _BOOLEAN,
    "prediction": _OBJECT,
    "presence_penalty": _NUMBER,
    "reasoning_effort": _STRING,
    "response_format": _OBJECT,
    "seed": _INTEGER,
    "service_tier": _STRING,
    "stop": _STRING_OR_LIST,
    "store": _BOOLEAN,
    "stream": _BOOLEAN,
    "stream_options": _OBJECT,
    "temperature": _NUMBER,
    "tool_choice": _STRING_OR_OBJECT,
    "tools": _LIST,
    "top_logprobs": _INTEGER,
    "top_p": _NUMBER,
    "user": _STRING,
}
#: Optional members of `stream_options`.
STREAM_OPTIONS: Final[Mapping[str, Shape]] = {"include_usage": _BOOLEAN}
#: Optional members of a message.
MESSAGE: Final[Mapping[str, Shape]] = {
    "audio": _OBJECT,
    "content": Shape(frozenset({str, list}), "a string or a list of parts"),
    "function_call": _OBJECT,
    "name": _STRING,
    "refusal": _STRING,
    "tool_call_id": _STRING,
    "tool_calls": _LIST,
}
#: Members that must be lists of objects, in the body and in a message.
OBJECT_LISTS: Final = ("functions", "tools", "tool_calls")


def check_members(members: JsonObject, shapes: Mapping[str, Shape], path: str = "") -> None:
    """Refuse the first member whose value has the wrong shape; `path` leads to the object, with its dot."""
    for name, value in members.items():
        shape = shapes.get(name)
        if shape is not None and value is not None and type(value) not in shape.types:
            raise wrong_shape(path + name, shape.words)
    for name in OBJECT_LISTS:
        if name in shapes and (value := members.get(name)):
            _check_objects(value, path + name)


def _check_objects(values: JsonValue, path: str) -> None:
    """Refuse the first element that is no object; `values` is known to be a list."""
    for place, value in enumerate(values if type(values) is list else ()):
        if type(value) is not dict:
            raise wrong_shape(f"{path}[{place}]", "an object")


def wrong_shape(path: str, words: str) -> MalformedRequest:
    """The error for a field that is missing or has the wrong type."""
    return MalformedRequest(f"'{path}' must be {words}.", param=path)
