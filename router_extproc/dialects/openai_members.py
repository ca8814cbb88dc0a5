"""Members that requests of OpenAI's chat completions and completions have in common.

Source: the OpenAI API reference, "Create chat completion"; vLLM, StreamOptions and StructuredOutputsParams.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.dialects.scalars import is_true
from router_extproc.dialects.shapes import BOOLEAN, Shape, check_members
from router_extproc.llm.answer import JsonObject

#: Optional members of `stream_options`.
STREAM_OPTIONS: Final[Mapping[str, Shape]] = {"include_usage": BOOLEAN}
#: Members by which a vLLM is asked for JSON of a schema.
_JSON_MEMBERS: Final = ("guided_json",)


def wants_usage(document: JsonObject) -> bool:
    """Whether the stream shall end with the usage.

    Raises:
        MalformedRequest: `stream_options` says something else.
    """
    options = document.get("stream_options")
    if type(options) is not dict:
        return False
    check_members(options, STREAM_OPTIONS, "stream_options.")
    return is_true(options.get("include_usage"))


def is_json_asked(document: JsonObject) -> bool:
    """The answer shall be JSON, of any or of a given schema."""
    wanted = document.get("response_format")
    is_json = type(wanted) is dict and wanted.get("type") == "json_object"
    return is_json or is_schema_asked(document)


def is_schema_asked(document: JsonObject) -> bool:
    """The answer shall be JSON of a given schema."""
    wanted = document.get("response_format")
    if type(wanted) is dict and wanted.get("type") == "json_schema":
        return True
    structured = document.get("structured_outputs")
    if type(structured) is dict and structured.get("json") is not None:
        return True
    return any(document.get(name) is not None for name in _JSON_MEMBERS)
