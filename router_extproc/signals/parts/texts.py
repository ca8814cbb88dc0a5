"""The texts of the parts of a request, the newest first, and how much of them is read.

System prompts are the operator's own and belong to no part. What a tool returned is `tools`, wherever it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.llm.request import Turn
from router_extproc.signals.base import Part, Subject

#: Characters of a request that are read at most, over all parts: what is beyond must cost nothing.
CHARS_MAX: Final = 131_072
#: Texts of a request that are read at most.
TEXTS_MAX: Final = 2_000
#: A tag without attributes, which could hold words.
_TAG: Final = re.compile(r"</?[A-Za-z][\w:-]{0,63}>")


@dataclass(frozen=True, slots=True)
class PartText:
    """A turn's text, or a piece of it."""

    part: Part
    text: str


@dataclass(frozen=True, slots=True)
class Portion:
    """What of some parts is read."""

    #: The newest first.
    texts: tuple[PartText, ...]
    #: Characters that are beyond the bounds.
    left_chars: int


def portion_of(subject: Subject, parts: Sequence[Part], *, chars_max: int = CHARS_MAX) -> Portion:
    """The newest texts of the parts, within the bounds; of a text that is too long, both ends."""
    taken: list[PartText] = []
    left_chars, room = 0, chars_max
    for each in texts_of(subject, parts):
        chars = room if len(taken) < TEXTS_MAX else 0
        pieces = ends_of(each.text, chars)
        taken += [PartText(each.part, piece) for piece in pieces]
        read = sum(map(len, pieces))
        room, left_chars = room - read, left_chars + len(each.text) - read
    return Portion(tuple(taken), left_chars)


def texts_of(subject: Subject, parts: Sequence[Part]) -> Iterator[PartText]:
    """Every text of the parts that is not empty, the newest first."""
    request = subject.request
    yield from _turns(request.later, parts)
    if "ask" in parts and request.prompt:
        # The whole message: what an ask leaves out reaches the model, too.
        yield PartText("ask", without_tags(request.prompt))
    yield from _turns(request.history, parts)


def without_tags(text: str) -> str:
    """The text with a line break for each bare tag; what stands between tags, or in one, stays.

    Clients of coding agents wrap what they add into tags, which by themselves look like an attack to a head
    that was trained on what people write.
    """
    return _TAG.sub("\n", text) if "<" in text else text


def ends_of(text: str, chars_max: int) -> tuple[str, ...]:
    """The text, or its beginning and its end where it has more than `chars_max` characters."""
    if len(text) <= chars_max:
        return (text,)
    half = chars_max // 2
    return (text[:half], text[len(text) - half :]) if half else ()


def _turns(turns: Sequence[Turn], parts: Sequence[Part]) -> Iterator[PartText]:
    for turn in reversed(turns):
        part: Part = "tools" if turn.role == "tool" else "history"
        if part in parts and turn.text:
            yield PartText(part, turn.text if part == "tools" else without_tags(turn.text))
