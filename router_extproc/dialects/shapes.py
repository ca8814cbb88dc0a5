"""The shapes that an API prescribes for the members of a request, and the check for them.

A dialect lists its members in tables of these shapes. Only types are checked, and scalars as loosely as
pools do: ranges and names of roles or kinds are the pool's to judge, because pools extend them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from router_extproc.dialects.scalars import boolean, integer, number
from router_extproc.errors import MalformedRequest
from router_extproc.llm.answer import JsonObject, JsonValue


@dataclass(frozen=True, slots=True)
class Shape:
    """The JSON types a member may have, and how an error message calls them."""

    types: frozenset[type]
    words: str
    #: Every element of a list must be an object.
    of_objects: bool = False
    #: Reads other spellings of a scalar as pools do; None: there are none.
    read: Callable[[JsonValue], object] | None = None

    def takes(self, value: JsonValue) -> bool:
        """Whether a pool that asks for this shape reads the value; null is the same as left out."""
        if type(value) in self.types or value is None:
            return True
        return self.read is not None and self.read(value) is not None


#: What a member "model" must be, for error messages.
MODEL_WORDS: Final = "the name of a model"
BOOLEAN: Final = Shape(frozenset({bool}), "true or false", read=boolean)
INTEGER: Final = Shape(frozenset({int}), "an integer", read=integer)
NUMBER: Final = Shape(frozenset({int, float}), "a number", read=number)
STRING: Final = Shape(frozenset({str}), "a string")
OBJECT: Final = Shape(frozenset({dict}), "an object")
LIST: Final = Shape(frozenset({list}), "a list")
OBJECTS: Final = Shape(frozenset({list}), "a list", of_objects=True)
STRING_OR_LIST: Final = Shape(frozenset({str, list}), "a string or a list")
STRING_OR_OBJECT: Final = Shape(frozenset({str, dict}), "a string or an object")


def check_members(members: JsonObject, shapes: Mapping[str, Shape], path: str = "") -> None:
    """Refuse the first member whose value has the wrong shape; `path` leads to the object, with its dot.

    Null is the same as left out.

    Raises:
        MalformedRequest: names the member by its path.
    """
    for name, value in members.items():
        shape = shapes.get(name)
        if shape is None:
            continue
        if not shape.takes(value):
            raise wrong_shape(path + name, shape.words)
        if shape.of_objects and type(value) is list:
            _check_objects(value, path + name)


def unfit(shape: Shape | None, value: JsonValue) -> str | None:
    """What a member of this shape must be, where the value is of another type; None: it fits."""
    fits = shape is None or value is None or type(value) in shape.types
    return None if fits or shape is None else shape.words


def _check_objects(values: list[JsonValue], path: str) -> None:
    """Refuse the first element that is no object."""
    for place, value in enumerate(values):
        if type(value) is not dict:
            raise wrong_shape(f"{path}[{place}]", "an object")


def read_model(document: JsonObject, *, required: bool = False) -> str:
    """The name of the model that a request asks for; "": it names none, which most pools take as their own.

    required: the API refuses a request without one.

    Raises:
        MalformedRequest: it is no name, or there must be one.
    """
    model = document.get("model")
    if type(model) is str and (model or not required):
        return model
    if model is None and not required:
        return ""
    raise wrong_shape("model", MODEL_WORDS)


def read_messages(
    document: JsonObject, shapes: Mapping[str, Shape] = MappingProxyType({})
) -> list[JsonObject]:
    """The messages of a request as they came: at least one, each an object with members of these shapes.

    Raises:
        MalformedRequest: names the first that is not.
    """
    messages = document.get("messages")
    if type(messages) is not list or not messages:
        raise wrong_shape("messages", "a list of at least one message")
    objects: list[JsonObject] = []
    for place, message in enumerate(messages):
        if type(message) is not dict:
            raise wrong_shape(f"messages[{place}]", "an object")
        if shapes and not _has_shapes(message, shapes):
            check_members(message, shapes, f"messages[{place}].")
        objects.append(message)
    return objects


def _has_shapes(members: JsonObject, shapes: Mapping[str, Shape]) -> bool:
    """At a glance, as most are: no member's spelling has to be read, and no list be looked through."""
    for name, value in members.items():
        shape = shapes.get(name)
        if shape is not None and (shape.of_objects or type(value) not in shape.types):
            return False
    return True


def read_answer_tokens(document: JsonObject, *names: str) -> int:
    """The longest answer that is asked for, by the first of these members that says it; 0: none does."""
    for name in names:
        tokens = document.get(name)
        if type(tokens) is int and tokens > 0:
            return tokens
    return 0


def wrong_shape(path: str, words: str) -> MalformedRequest:
    """The error for a field that is missing or has the wrong type."""
    return MalformedRequest(f"'{path}' must be {words}.", param=path)
