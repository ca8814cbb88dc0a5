"""Where the texts are in chat completions and their chunks, for those who change them.

Each text of each choice has a filter of its own: content, reasoning, refusal, and the arguments of each call.
Log probabilities are left alone: they spell the text out token by token.
Source: the OpenAI API reference, "The chat completion object", "The chat completion chunk object".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from router_extproc.dialects.base import MakeFilter, TextFilter, TextForm
from router_extproc.dialects.openai_chat.completion import CALL_MEMBERS, LEGACY_CALL, REASONING_FIELDS
from router_extproc.dialects.rewriters import RewrittenEvent, filter_error, filter_whole
from router_extproc.llm.answer import JsonObject, JsonValue

_TEXTS: Final = ("content", *REASONING_FIELDS, "refusal")
_CALLS: Final = "tool_calls"
#: Texts of one answer that are filtered; those of a hostile pool must not fill the memory.
FILTERS_MAX: Final = 1024
#: A text in a choice: the member, and the place and kind of a call.
_Slot: TypeAlias = tuple[str, JsonValue, str]


@dataclass(frozen=True, slots=True)
class _Text:
    """A piece of one text, and where it stands."""

    slot: _Slot
    holder: JsonObject
    member: str
    piece: str
    form: TextForm = "text"


class CompletionRewriter:
    """The texts of one answer; fits rewriters.TextRewriter."""

    def __init__(self, make: MakeFilter) -> None:
        self._make: Final = make
        self._filters: dict[JsonValue, dict[_Slot, TextFilter]] = {}
        #: The members of a chunk that each one repeats.
        self._envelope: JsonObject = {}

    def rewrite(self, document: JsonObject) -> bool:
        """See TextRewriter."""
        changed = filter_error(document, self._make)
        for choice in _objects(document.get("choices")):
            message = choice.get("message")
            for text in _texts(message) if type(message) is dict else ():
                changed = _put(text, filter_whole(text.piece, self._make, text.form)) or changed
        return changed

    def rewrite_event(self, document: JsonObject) -> RewrittenEvent:
        """See TextRewriter."""
        changed = filter_error(document, self._make)
        before: list[JsonObject] = []
        for place, choice in enumerate(_objects(document.get("choices"))):
            self._envelope = self._envelope or _envelope(document)
            index, delta = choice.get("index", place), choice.get("delta")
            texts = list(_texts(delta)) if type(delta) is dict else []
            # A text is over when another one begins.
            if texts or choice.get("finish_reason"):
                before += self._flush(index, {text.slot for text in texts})
            for text in texts:
                changed = self._rewrite_piece(index, text, last=bool(choice.get("finish_reason"))) or changed
        return RewrittenEvent(before, changed)

    def flush(self) -> list[JsonObject]:
        """See TextRewriter."""
        return [event for index in list(self._filters) for event in self._flush(index, frozenset())]

    def _rewrite_piece(self, index: JsonValue, text: _Text, *, last: bool) -> bool:
        filters = self._filters.setdefault(index if type(index) is int else 0, {})
        if text.slot not in filters and sum(map(len, self._filters.values())) >= FILTERS_MAX:
            return _put(text, filter_whole(text.piece, self._make, text.form))
        if text.slot not in filters:
            filters[text.slot] = self._make(text.form)
        filtering = filters[text.slot]
        passed = filtering.feed(text.piece)
        return _put(text, passed + filtering.finish() if last else passed)

    def _flush(self, index: JsonValue, kept: set[_Slot] | frozenset[_Slot]) -> Iterator[JsonObject]:
        """Chunks with what is held back of a choice, but for some of its texts."""
        for slot, filtering in self._filters.get(index if type(index) is int else 0, {}).items():
            if slot not in kept and filtering.holds:
                rest = filtering.finish()
                choice: JsonObject = {"index": index, "delta": _delta(slot, rest), "finish_reason": None}
                if rest:
                    yield {**self._envelope, "choices": [choice]}


def _texts(message: JsonObject) -> Iterator[_Text]:
    """The texts of a message or a delta."""
    for name in _TEXTS:
        value = message.get(name)
        if type(value) is str:
            yield _Text((name, None, ""), message, name, value)
        for part in _objects(value):
            if type(part.get("text")) is str:
                yield _Text((name, None, ""), part, "text", str(part["text"]))
    for place, call in enumerate(_objects(message.get(_CALLS))):
        for kind, (_, member) in CALL_MEMBERS.items():
            yield from _called((_CALLS, call.get("index", place), kind), call.get(kind), member)
    yield from _called((LEGACY_CALL, None, "function"), message.get(LEGACY_CALL), CALL_MEMBERS["function"][1])


def _called(slot: _Slot, body: JsonValue, member: str) -> Iterator[_Text]:
    if type(body) is dict and type(body.get(member)) is str:
        form: TextForm = "json" if slot[2] == "function" else "text"
        yield _Text(slot, body, member, str(body[member]), form)


def _delta(slot: _Slot, rest: str) -> JsonObject:
    """A delta that holds nothing but more of one text."""
    name, place, kind = slot
    if name == _CALLS:
        return {_CALLS: [{"index": place, kind: {CALL_MEMBERS[kind][1]: rest}}]}
    return {name: {"arguments": rest} if name == LEGACY_CALL else rest}


def _envelope(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in {"choices", "usage", "error"}}


def _objects(value: JsonValue) -> Iterator[JsonObject]:
    return (each for each in value if type(each) is dict) if type(value) is list else iter(())


def _put(text: _Text, value: str) -> bool:
    if value == text.piece:
        return False
    text.holder[text.member] = value
    return True
