"""Where the texts are in text completions and their events, for those who change them.

Log probabilities are left alone: they spell the text out token by token.
Source: the OpenAI API reference, "The completion object"; vLLM, CompletionStreamResponse.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.dialects.base import MakeFilter, TextFilter
from router_extproc.dialects.rewriters import RewrittenEvent, filter_error, filter_whole
from router_extproc.llm.answer import JsonObject, JsonValue

#: Texts of one answer that are filtered; those of a hostile pool must not fill the memory.
FILTERS_MAX: Final = 1024


class TextCompletionRewriter:
    """The texts of one answer; fits rewriters.TextRewriter."""

    def __init__(self, make: MakeFilter) -> None:
        self._make: Final = make
        #: By the index of the choice.
        self._filters: dict[int, TextFilter] = {}
        #: The members of an event that each one repeats.
        self._envelope: JsonObject = {}

    def rewrite(self, document: JsonObject) -> bool:
        """See TextRewriter."""
        changed = filter_error(document, self._make)
        for choice, text in _texts(document):
            changed = _put(choice, text, filter_whole(text, self._make)) or changed
        return changed

    def rewrite_event(self, document: JsonObject) -> RewrittenEvent:
        """See TextRewriter."""
        changed = filter_error(document, self._make)
        for place, (choice, text) in enumerate(_texts(document)):
            self._envelope = self._envelope or _envelope(document)
            index = choice.get("index")
            last = bool(choice.get("finish_reason"))
            passed = self._filtered(index if type(index) is int else place, text, last=last)
            changed = _put(choice, text, passed) or changed
        return RewrittenEvent((), changed)

    def flush(self) -> list[JsonObject]:
        """See TextRewriter."""
        events: list[JsonObject] = []
        for index, filtering in self._filters.items():
            rest = filtering.finish() if filtering.holds else ""
            if rest:
                choice: JsonValue = {"index": index, "text": rest, "logprobs": None, "finish_reason": None}
                events.append({**self._envelope, "choices": [choice]})
        return events

    def _filtered(self, index: int, piece: str, *, last: bool) -> str:
        if index not in self._filters and len(self._filters) >= FILTERS_MAX:
            return filter_whole(piece, self._make)
        if index not in self._filters:
            self._filters[index] = self._make("text")
        filtering = self._filters[index]
        passed = filtering.feed(piece)
        return passed + filtering.finish() if last else passed


def _texts(document: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    """The choices that have a text, with it."""
    choices = document.get("choices")
    for choice in choices if type(choices) is list else ():
        if type(choice) is dict and type(choice.get("text")) is str:
            yield choice, str(choice["text"])


def _envelope(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name not in {"choices", "usage", "error"}}


def _put(choice: JsonObject, before: str, value: str) -> bool:
    choice["text"] = value
    return value != before
