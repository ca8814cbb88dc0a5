"""The texts of a request's parts, each bounded: a signal that runs on the event loop may read no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal, TypeAlias

from router_extproc.llm.request import Turn
from router_extproc.signals.base import Part, Subject

#: What a signal may read of a request.
TextPart: TypeAlias = Part | Literal["system"]
#: Characters read of one part; of a longer one both ends are.
PART_CHARS_MAX: Final = 32_768


def texts_of(subject: Subject, parts: Iterable[TextPart]) -> Iterator[str]:
    """One text for each of the parts."""
    for part in parts:
        yield cut_middle(_text_of(subject, part))


def cut_middle(text: str, chars_max: int = PART_CHARS_MAX) -> str:
    """The text, or both ends of one that is too long."""
    if len(text) <= chars_max:
        return text
    half = chars_max // 2
    return f"{text[:half]}\n{text[-half:]}"


def _text_of(subject: Subject, part: TextPart) -> str:
    request = subject.request
    match part:
        case "ask":
            return subject.ask.reading
        case "system":
            return request.system
        case "history":
            return _newest(turn for turn in reversed(request.history) if turn.role != "tool")
        case "tools":
            turns = (*request.history, *request.later)
            return _newest(turn for turn in reversed(turns) if turn.role == "tool")


def _newest(turns: Iterable[Turn]) -> str:
    """The texts of turns that come newest first, as many as are read, in the order of the conversation."""
    texts: list[str] = []
    left = PART_CHARS_MAX
    for turn in turns:
        if left <= 0:
            break
        texts.append(cut_middle(turn.text))
        left -= len(texts[-1]) + 1
    return "\n".join(reversed(texts))
