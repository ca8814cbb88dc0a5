"""Putting the events of a streamed chat completion together into the object it would have been.

It is not a reader of bytes. The rule it keeps: fragments of text are joined, everything else is
taken whole; pieces that contradict each other are refused, not merged.
Source: the OpenAI API reference, "The chat completion chunk object"; vLLM, ChatCompletionStreamResponse.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from router_extproc.dialects.json_body import JsonObject
from router_extproc.dialects.members import NotUnderstoodError
from router_extproc.llm.answer import JsonValue

#: Members whose first piece that is not empty is the whole value; a second, other one is refused.
_WHOLE: Final = frozenset({"id", "type", "role", "name"})
#: Members of a delta that show that the model has begun to answer.
_BEGINNINGS: Final = ("content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function_call")
#: Objects inside a delta are merged to this depth, deeper ones are taken whole.
_MERGE_DEPTH: Final = 4


class _Text:
    """Text that arrives in pieces, joined once at the end."""

    __slots__ = ("pieces",)

    def __init__(self, piece: str) -> None:
        self.pieces = [piece]


class _Object(dict[str, "_Piece"]):
    """An object in the making; a plain dict inside one is a value that came whole."""


_Piece: TypeAlias = "JsonValue | _Text | _Object"


class CompletionAssembler:
    """One streamed answer in the making."""

    def __init__(self) -> None:
        self._top: JsonObject = {}
        self._choices: dict[int, _ChoicePieces] = {}
        #: A piece of content, reasoning, refusal or a call has come.
        self.started = False

    def add(self, event: JsonObject) -> None:
        """Take one event. Raises NotUnderstoodError when it does not fit what came before."""
        for name, value in event.items():
            if value or name not in self._top:
                self._top[name] = value
        choices = event.get("choices", [])
        if type(choices) is not list:
            raise NotUnderstoodError
        for choice in choices:
            self._add_choice(choice)

    def _add_choice(self, choice: JsonValue) -> None:
        """One entry of `choices`."""
        if type(choice) is not dict or type(index := choice.get("index")) is not int:
            raise NotUnderstoodError
        delta = choice.get("delta")
        if type(delta) is not dict:
            raise NotUnderstoodError
        if not self.started:
            self.started = any(delta.get(name) for name in _BEGINNINGS)
        if index not in self._choices:
            self._choices[index] = _ChoicePieces()
        self._choices[index].add(choice, delta)

    def document(self) -> JsonObject:
        """The chat completion object."""
        choices: list[JsonValue] = [pieces.document() for pieces in self._choices.values()]
        return {**self._top, "choices": choices}


class _ChoicePieces:
    """One choice in the making."""

    __slots__ = ("_calls", "_message", "_others")

    def __init__(self) -> None:
        self._message = _Object()
        self._calls: dict[int, _Object] = {}
        self._others: JsonObject = {}

    def add(self, choice: JsonObject, delta: JsonObject) -> None:
        """Take one event's part of this choice."""
        for name, value in delta.items():
            if name == "tool_calls" and value:
                self._add_calls(value)
            else:
                _add_piece(self._message, name, value)
        for name, value in choice.items():
            if name != "delta":
                _add_whole(self._others, name, value)

    def _add_calls(self, calls: JsonValue) -> None:
        """Fragments of tool calls, told apart by their index."""
        if type(calls) is not list:
            raise NotUnderstoodError
        for call in calls:
            if type(call) is not dict or type(index := call.get("index")) is not int:
                raise NotUnderstoodError
            pieces = self._calls.setdefault(index, _Object())
            for name, value in call.items():
                if name != "index":
                    _add_piece(pieces, name, value)

    def document(self) -> JsonObject:
        """The choice object."""
        message = _join(self._message)
        if self._calls:
            message["tool_calls"] = [_join(self._calls[index]) for index in sorted(self._calls)]
        return {**self._others, "message": message}


def _add_piece(pieces: _Object, name: str, value: JsonValue, depth: int = _MERGE_DEPTH) -> None:
    """Merge one member of a delta: texts and lists grow, objects merge, anything else is replaced."""
    held = pieces.get(name)
    if value is None or name in _WHOLE:
        pieces[name] = _first_or_same(held, value)
    elif type(value) is str and isinstance(held, _Text):
        held.pieces.append(value)
    elif type(value) is str:
        pieces[name] = _Text(value)
    elif type(value) is dict and depth:
        pieces[name] = merged = held if isinstance(held, _Object) else _Object()
        for inner, inner_value in value.items():
            _add_piece(merged, inner, inner_value, depth - 1)
    elif type(value) is list and type(held) is list:
        held.extend(value)
    else:
        pieces[name] = value


def _add_whole(members: JsonObject, name: str, value: JsonValue, depth: int = _MERGE_DEPTH) -> None:
    """Merge one member of a choice: lists grow, objects merge by member, anything else is replaced."""
    held = members.get(name)
    if value is None:
        members.setdefault(name, None)
    elif type(value) is list and type(held) is list:
        held.extend(value)
    elif type(value) is dict and type(held) is dict and depth:
        for inner, inner_value in value.items():
            _add_whole(held, inner, inner_value, depth - 1)
    else:
        members[name] = value


def _first_or_same(held: _Piece, value: JsonValue) -> _Piece:
    """What is held, or `value` if that is nothing yet; refuses to change something into another."""
    if not held:
        return held if held is not None and not value else value
    if value and value != held:
        raise NotUnderstoodError
    return held


def _join(pieces: _Object) -> JsonObject:
    """The pieces as plain JSON values; recursion ends at the depth to which objects were merged."""
    return {name: _joined(piece) for name, piece in pieces.items()}


def _joined(piece: _Piece) -> JsonValue:
    """One piece as a plain JSON value."""
    if isinstance(piece, _Text):
        return "".join(piece.pieces)
    if isinstance(piece, _Object):
        return _join(piece)
    return piece
