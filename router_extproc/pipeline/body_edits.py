"""The edits of a request's body as `explain` shows them: where, what kind of value was there, what is new.

An edit holds only texts of the operator's, and of the client's value no more than its kind is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.llm.edits import (
    Add,
    AppendItem,
    AppendText,
    Cap,
    Edit,
    Path,
    PrependItem,
    PrependText,
    Remove,
    RemoveItems,
    Set,
)

_KINDS: Final = (
    (bool, "boolean"), (int, "number"), (float, "number"), (str, "string"), (list, "list"), (dict, "object"),
)  # fmt: skip
_ABSENT: Final = object()


@dataclass(frozen=True, slots=True)
class DescribedEdit:
    """One edit."""

    #: As a programmer would write it: messages[0].content.
    path: str
    #: "set", "cap", "remove", "prepend" or "append".
    change: str
    #: The kind of the client's value: string, number, boolean, null, list, object, or absent.
    before: str
    #: What the operator wants there; None: something is taken out.
    value: JsonValue


def described(edits: Sequence[Edit], document: JsonObject) -> tuple[DescribedEdit, ...]:
    """The edits of a body that was read as this document."""
    return tuple(_described(edit, document) for edit in edits)


def _described(edit: Edit, document: JsonObject) -> DescribedEdit:
    change, value = _change_of(edit)
    return DescribedEdit(_written(edit.path), change, _kind(_follow(document, edit.path)), value)


def _change_of(edit: Edit) -> tuple[str, JsonValue]:
    match edit:
        case Set(value=value) | Add(value=value):
            return "set", value
        case Cap(most=most):
            return "cap", most
        case Remove():
            return "remove", None
        case RemoveItems(items=items):
            return "remove", list[JsonValue](sorted(items))
        case PrependText(text=text) | PrependItem(item=text):
            return "prepend", text
        case AppendText(text=text) | AppendItem(item=text):
            return "append", text


def _written(path: Path) -> str:
    steps = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return steps.removeprefix(".")


def _follow(document: JsonObject, path: Path) -> object:
    here: object = document
    for step in path:
        match here, step:
            case dict() as members, str():
                here = members.get(step, _ABSENT)
            case list() as elements, int() if step < len(elements):
                here = elements[step]
            case _:
                return _ABSENT
    return here


def _kind(value: object) -> str:
    if value is None:
        return "null"
    return next((kind for form, kind in _KINDS if isinstance(value, form)), "absent")
