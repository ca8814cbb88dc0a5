"""Redacts a request: every text of its body that a pool could read, each fact by its placeholder.

Bytes beside what is replaced stay as the client sent them. Numbers follow the order in the conversation, so
each further turn keeps those of the turns before it, and a pool keeps its computed prefix.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from router_extproc.dialects.base import BodyText
from router_extproc.dialects.json_strings import spelled_places, text_of
from router_extproc.redaction.json_text import Place, readable
from router_extproc.redaction.placeholders import Placeholder, PlaceholderForm, Placeholders
from router_extproc.redaction.search import Search, Steps
from router_extproc.redaction.tally import AnswerTally
from router_extproc.routing.actions import Redaction

#: Texts that are read in one step, when they are short.
STEP_TEXTS: Final = 64
_JSON: Final = "json"


@dataclass(frozen=True, slots=True)
class RedactedPart:
    """How many values of one kind were replaced in one part of a request."""

    kind: str
    #: system, user, assistant, tool, tool_calls, tools or other.
    part: str
    count: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """A redacted request, and what its answer needs. Its values are the client's: they go nowhere else."""

    rule: Redaction
    #: As the pool may see it.
    body: bytes = field(repr=False)
    placeholders: Placeholders = field(repr=False)
    #: Secrets of the request itself: they are not masked.
    known: frozenset[str] = field(repr=False)
    parts: tuple[RedactedPart, ...]
    #: Of its answer.
    tally: AnswerTally = field(default_factory=AnswerTally)


@dataclass(frozen=True, slots=True)
class _Find:
    """One fact in one text."""

    kind: str
    place: Place


@dataclass(frozen=True, slots=True)
class _Read:
    """One text that holds something."""

    text: BodyText
    #: As it is written between its quotes.
    spelled: str
    finds: Sequence[_Find]


def redact(body: bytes, texts: Iterable[BodyText], rule: Redaction) -> Steps[Redacted]:
    """The redacted request.

    Raises:
        RequestTooLarge: there are too many different values.
    """
    search = Search({*rule.kinds, *rule.mask})
    form = PlaceholderForm.of(rule.kinds)
    found: list[_Read] = []
    taken: set[Placeholder] = set()
    for count, text in enumerate(texts):
        if count % STEP_TEXTS == 0:
            yield
        read = yield from _read(body, text, search, form, taken)
        if read is not None:
            found.append(read)
    placeholders = Placeholders(form, frozenset(taken) if rule.restore else frozenset())
    return _replace(body, found, rule, placeholders)


def _read(
    body: bytes, text: BodyText, search: Search, form: PlaceholderForm, taken: set[Placeholder]
) -> Steps[_Read | None]:
    """What one text holds; notes the placeholders that the client has written itself."""
    spelled = body[text.start : text.end].decode()
    content = readable(text_of(spelled), is_json=text.form == _JSON)
    taken.update(placeholder for _, placeholder in form.find(content.searched))
    spans = yield from search.spans(content.searched)
    finds = [_Find(span.type, place) for span in spans for place in content.places(span.start, span.end)]
    return _Read(text, spelled, finds) if finds else None


def _replace(body: bytes, found: Sequence[_Read], rule: Redaction, placeholders: Placeholders) -> Redacted:
    known: set[str] = set()
    counts: Counter[tuple[str, str]] = Counter()
    written: dict[int, str] = {}
    # What a further turn brings must not move the numbers of what was there before.
    for at in sorted(range(len(found)), key=lambda at: found[at].text.order):
        read = found[at]
        known.update(find.place.value for find in read.finds if find.kind in rule.mask)
        finds = [find for find in read.finds if find.kind in rule.kinds]
        counts.update((find.kind, read.text.part) for find in finds)
        written[at] = _written(read, finds, placeholders)
    pieces, copied = [], 0
    for at, read in enumerate(found):
        pieces += [body[copied : read.text.start], written[at].encode()]
        copied = read.text.end
    parts = tuple(RedactedPart(kind, part, count) for (kind, part), count in sorted(counts.items()))
    return Redacted(rule, b"".join((*pieces, body[copied:])), placeholders, frozenset(known), parts)


def _written(read: _Read, finds: Sequence[_Find], placeholders: Placeholders) -> str:
    """The text as it is written in the body, with its placeholders."""
    edges = [edge for find in finds for edge in (find.place.start, find.place.end)]
    places = iter(spelled_places(read.spelled, edges))
    pieces, copied = [], 0
    for find, start, end in zip(finds, places, places, strict=False):
        placeholder = str(placeholders.of(find.kind, find.place.value))
        pieces += [read.spelled[copied:start], rf"\"{placeholder}\"" if find.place.bare else placeholder]
        copied = end
    return "".join((*pieces, read.spelled[copied:]))
