"""Edits that put an operator's text beside a client's system prompt: a string, or a list of text parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.llm.changes import SurroundSystemPrompt
from router_extproc.llm.edits import AppendItem, AppendText, Edit, Path, PrependItem, PrependText, Set

#: Between the operator's text and the client's where both are one string.
_BLANK_LINE: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class SystemText:
    """Where the client's text is, or would be, and what is there."""

    path: Path
    content: JsonValue
    #: What the API calls a part of text in a list of parts.
    part: str = "text"


def whole_text(change: SurroundSystemPrompt) -> str:
    """What the system prompt is where the client has none."""
    return _BLANK_LINE.join(filter(None, (change.before, change.after)))


def surround(change: SurroundSystemPrompt, first: SystemText, last: SystemText) -> Iterator[Edit]:
    """The edits of a prompt that begins with `first` and ends with `last`, which may be the same."""
    if first == last and not first.content:
        yield Set(first.path, whole_text(change))
        return
    if change.before:
        yield _prepend(first, change.before)
    if change.after:
        yield _append(last, change.after)


def _prepend(place: SystemText, text: str) -> Edit:
    if not place.content:
        return Set(place.path, text)
    if isinstance(place.content, list):
        return PrependItem(place.path, _part(place, text))
    return PrependText(place.path, text + _BLANK_LINE)


def _append(place: SystemText, text: str) -> Edit:
    if not place.content:
        return Set(place.path, text)
    if isinstance(place.content, list):
        return AppendItem(place.path, _part(place, text))
    return AppendText(place.path, _BLANK_LINE + text)


def _part(place: SystemText, text: str) -> JsonValue:
    return {"type": place.part, "text": text}
