"""Reads the chosen parts of a request, the newest text first, within bounds on characters, tokens and time.

What each kind of text is read for is a `TextReader`'s; what was found in a whole text is remembered.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeAlias

from router_extproc.models.base import Encoding
from router_extproc.signals.base import EncodeText, Part, Subject
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.texts import PartText, portion_of

#: Score by label of what was found.
Scores: TypeAlias = Mapping[str, float]

#: Tokens that the encoder reads of a request beside the ask's first window, where nothing else is said.
TOKENS_MAX: Final = 1_024


class Passes:
    """The encoder passes that a signal may still take for one request."""

    def __init__(self, encode: EncodeText, tokens_max: int) -> None:
        self._encode: Final = encode
        self._tokens_left = tokens_max
        #: The time was over before the tokens were.
        self.late = False

    def encode(self, text: str, *, tasks: bool) -> Encoding | None:
        """The text's encoding; None: the tokens or the time are used up."""
        if self.late or self._tokens_left <= 0:
            return None
        encoding = self._encode(text, tasks=tasks)
        if encoding is None:
            self.late = True
            return None
        self._tokens_left -= encoding.tokens
        return encoding


@dataclass(frozen=True, slots=True)
class TextFound:
    """What was found in one text."""

    scores: Scores
    #: Characters that should have been read and were not.
    left_chars: int = 0


class TextReader(Protocol):
    """Reads one text; pure but for what it remembers."""

    @property
    def kind(self) -> str:
        """Says how texts are read: what was found in a text by one kind says nothing of another. ASCII."""
        ...

    def read(self, text: str, passes: Passes) -> TextFound:
        """What is in the text, as far as the passes allow; never raises on any text."""
        ...


@dataclass(frozen=True, slots=True)
class PartFound:
    """What was found in one text of a part."""

    part: Part
    scores: Scores


@dataclass(frozen=True, slots=True)
class PartsFound:
    """What was found in all parts."""

    #: The newest first.
    found: tuple[PartFound, ...]
    left_chars: int
    #: It ran out of time.
    late: bool


class PartsReader:
    """Reads the parts of requests; safe to use from several threads."""

    def __init__(
        self, readers: Mapping[Part, TextReader], known: KnownTexts[Scores], *, tokens_max: int
    ) -> None:
        """Only the parts that have a reader are read; `known` may be the readers' own, too."""
        self._readers: Final = readers
        self._known: Final = known
        self._tokens_max: Final = tokens_max

    def read(self, subject: Subject, encode: EncodeText, *, without: Sequence[Part] = ()) -> PartsFound:
        """What is in the parts; `without` names those that need not be read this time."""
        parts = [part for part in self._readers if part not in without]
        portion = portion_of(subject, parts)
        passes = Passes(encode, self._tokens_max)
        left_chars = portion.left_chars
        found = []
        for each in portion.texts:
            read = self._read(each, passes)
            left_chars += read.left_chars
            found.append(PartFound(each.part, read.scores))
        return PartsFound(tuple(found), left_chars, passes.late)

    def _read(self, each: PartText, passes: Passes) -> TextFound:
        reader = self._readers[each.part]
        known = self._known.get(reader.kind, each.text)
        if known is not None:
            return TextFound(known)
        read = reader.read(each.text, passes)
        if not read.left_chars:
            self._known.put(reader.kind, each.text, read.scores)
        return read
