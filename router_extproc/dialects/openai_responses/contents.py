"""What a Responses request is made of beside text: tools, pictures, recordings, files, the answer's form.

Source: the OpenAI API reference, "Create a model response"; vLLM, ResponsesRequest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Literal

from router_extproc.dialects.openai_responses.items import MESSAGE, Item, text_of_part
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.request import Contents

_Attachment = Literal["images", "audio", "files"]
#: Kind of part to what it is; every other kind that is no text counts as a file.
_ATTACHMENTS: Final[Mapping[str, _Attachment]] = {
    "input_image": "images",
    "image_url": "images",
    "computer_screenshot": "images",
    "input_audio": "audio",
}
_SCHEMA: Final = "json_schema"
_JSON_FORMATS: Final = ("json_object", _SCHEMA)


def contents_of(document: JsonObject, items: Sequence[Item]) -> Contents:
    """What the request is made of beside text; pictures that tools returned count, too."""
    found = {"images": 0, "audio": 0, "files": 0}
    for kind in _attached(items):
        found[_ATTACHMENTS.get(kind, "files")] += 1
    tools = document.get("tools")
    offered = len(tools) if type(tools) is list else 0
    form = _form_asked(document)
    asked, schema = form in _JSON_FORMATS, form == _SCHEMA
    return Contents(offered, **found, json_asked=asked, schema_asked=schema)


def has_attachments(items: Sequence[Item]) -> bool:
    """Whether a message or the result of a tool has a part that is no text."""
    return next(_attached(items), None) is not None


def _attached(items: Sequence[Item]) -> Iterator[str]:
    """The kinds of all parts that are no text."""
    for item in items:
        if item.kind == MESSAGE and not item.attached:
            continue
        member = item.document.get("content" if item.kind == MESSAGE else "output")
        for part in _parts(member):
            if text_of_part(part) is None:
                yield str(part.get("type")) if type(part) is dict else ""


def _parts(member: JsonValue) -> Sequence[JsonValue]:
    """The parts of a content or an output; the picture of a screen is one by itself."""
    if type(member) is dict:
        return [member]
    return member if type(member) is list else []


def _form_asked(document: JsonObject) -> JsonValue:
    """The kind of the answer's form; None: it is free."""
    text, structured = document.get("text"), document.get("structured_outputs")
    if type(structured) is dict and structured.get("json") is not None:
        return _SCHEMA
    form = text.get("format") if type(text) is dict else None
    return form.get("type") if type(form) is dict else None
