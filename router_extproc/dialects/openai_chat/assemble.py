"""Puts the events of a streamed chat completion together into the object it would have been.

Fragments of text are joined, everything else is taken whole; pieces that contradict each other are refused.
Harmless oddities of pools are not: a delta of null, keep-alive events, a usage of null in every event.
Source: the OpenAI API reference, "The chat completion chunk object"; vLLM, ChatCompletionStreamResponse.
"""

from __future__ import annotations

from typing import Final, TypeAlias

from router_extproc.dialects.members import NotUnderstoodError, a_list, an_integer, an_object, others
from router_extproc.dialects.merging import MERGE_DEPTH, add_whole, first_finish
from router_extproc.dialects.openai_chat.answer import read_completion
from router_extproc.dialects.openai_chat.completion import content_text
from router_extproc.dialects.openai_objects import END_OF_STREAM, is_error, take_fact
from router_extproc.dialects.readers import PoolFailedError, answer_object
from router_extproc.dialects.size import growth_of
from router_extproc.dialects.sse import SseEvent
from router_extproc.llm.answer import Answer, Incomplete, JsonObject, JsonValue

#: The name of an event that has none of its own.
_UNNAMED: Final = "message"
#: Members of a choice that each event repeats, and the delta, which is counted by itself.
_BOOKKEEPING: Final = frozenset({"index", "delta", "finish_reason"})
#: Members whose first piece that is not empty is the whole value; a second, other one is refused.
_WHOLE: Final = frozenset({"id", "type", "role", "name"})
#: Members of a delta that show that the model has begun to answer.
_BEGINNINGS: Final = ("content", "reasoning_content", "reasoning", "refusal", "tool_calls", "function_call")


class _Text:
    """Text that arrives in pieces, joined once at the end."""

    __slots__ = ("pieces",)

    def __init__(self, piece: str) -> None:
        self.pieces = [piece]


class _Object(dict[str, "_Piece"]):
    """An object in the making; a plain dict inside one is a value that came whole."""


_Piece: TypeAlias = "JsonValue | _Text | _Object"


class CompletionAssembler:
    """One streamed answer in the making; see dialects.readers.Assembler."""

    def __init__(self) -> None:
        #: See dialects.readers.Assembler.
        self.held_bytes = 0
        self._top: JsonObject = {}
        self._choices: dict[int, _ChoicePieces] = {}
        #: A piece of content, reasoning, refusal or a call has come.
        self.started = False
        self.ended = False

    def add(self, event: SseEvent) -> None:
        """Take one event."""
        if event.event == "error":
            raise PoolFailedError
        said = event.data.strip()
        if said == END_OF_STREAM:
            self.ended = True
        elif said and not _is_keep_alive(event.event, said):
            self._add_object(answer_object(said), named=event.event != _UNNAMED)

    def _add_object(self, document: JsonObject, *, named: bool) -> None:
        """One object; in an event with a name of its own it may be about something else."""
        if is_error(document):
            raise PoolFailedError
        if not named or "choices" in document:
            self._add_chunk(document)

    def answer(self) -> Answer | Incomplete:
        """The answer that the events made."""
        choices: list[JsonValue] = [pieces.document() for pieces in self._choices.values()]
        return read_completion({**self._top, "choices": choices})

    def _add_chunk(self, chunk: JsonObject) -> None:
        """One chat completion chunk object."""
        for name, value in chunk.items():
            if name != "choices":
                self.held_bytes += take_fact(self._top, name, value)
        choices = chunk.get("choices")
        if choices is None:
            return
        for choice in a_list(choices):
            self._add_choice(choice, alone=len(a_list(choices)) == 1)

    def _add_choice(self, choice: JsonValue, *, alone: bool) -> None:
        """One entry of `choices`; the only one may leave its index out."""
        choice = an_object(choice)
        unnumbered = alone and choice.get("index") is None
        index = choice["index"] = 0 if unnumbered else an_integer(choice.get("index"))
        delta = {} if choice.get("delta") is None else an_object(choice["delta"])
        if not self.started:
            self.started = any(delta.get(name) for name in _BEGINNINGS)
        if index not in self._choices:
            self._choices[index] = _ChoicePieces()
        pieces = self._choices[index]
        if unnumbered and pieces.finished and (choice.get("finish_reason") or any(delta.values())):
            # It may be another choice, or the same one: nobody can tell.
            raise NotUnderstoodError
        self.held_bytes += pieces.growth(choice, delta)
        pieces.add(choice, delta)


class _ChoicePieces:
    """One choice in the making."""

    __slots__ = ("_calls", "_message", "_others")

    def __init__(self) -> None:
        self._message = _Object()
        self._calls: dict[int, _Object] = {}
        self._others: JsonObject = {}

    @property
    def finished(self) -> bool:
        """Its finish reason has come."""
        return bool(self._others.get("finish_reason"))

    def growth(self, choice: JsonObject, delta: JsonObject) -> int:
        """How many bytes one event's part of this choice adds."""
        facts = others(choice, _BOOKKEEPING)
        return growth_of(self._message, delta) + growth_of(self._others, facts)

    def add(self, choice: JsonObject, delta: JsonObject) -> None:
        """Take one event's part of this choice."""
        for name, value in delta.items():
            if name == "tool_calls" and value:
                self._add_calls(value)
            elif name == "content":
                _add_piece(self._message, name, content_text(value))
            else:
                _add_piece(self._message, name, value)
        for name, value in choice.items():
            if name == "finish_reason":
                self._others[name] = first_finish(self._others.get(name), value)
            elif name != "delta":
                add_whole(self._others, name, value)

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


def _is_keep_alive(name: str, said: bytes) -> bool:
    """An event with a name of its own that holds no object, as `ping`; half an object is none."""
    return name != _UNNAMED and not said.startswith((b"{", b"["))


def _add_piece(pieces: _Object, name: str, value: JsonValue, depth: int = MERGE_DEPTH) -> None:
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
