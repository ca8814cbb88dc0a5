"""Reads one text for personal facts: kinds of fixed form everywhere, names window by window."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from router_extproc.models.base import Encoding, NameSpan
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.passages import cut
from router_extproc.signals.parts.reader import Passes, Scores, TextFound
from router_extproc.signals.parts.windows import WindowReader
from router_extproc.signals.pii.names import counted_names
from router_extproc.signals.pii.patterns import EDGE_CHARS_MAX, find_in_part

#: Characters that two pieces of a long text share: more than a fact of fixed form has, but for tokens.
OVERLAP_CHARS: Final = 512


class FactReader:
    """Fits parts.reader.TextReader: the score of every kind that a text holds."""

    kind = "facts"

    def __init__(self, known: KnownTexts[Scores], *, score_min: float, names: bool) -> None:
        """`names`: those are looked for, too, from `score_min` up."""
        self._score_min: Final = score_min
        self._windows: Final = WindowReader("names", self._names, join_two, known, tasks=True)
        self._reads_names: Final = names

    def read(self, text: str, passes: Passes) -> TextFound:
        """See TextReader."""
        forms = forms_in(text)
        if not self._reads_names:
            return TextFound(forms)
        names = self._windows.read(text, passes)
        return TextFound(join_two(names.scores, forms), names.left_chars)

    def _names(self, window: str, encoding: Encoding) -> Scores:
        forms = find_in_part(window)
        return best_scores(counted_names(window, names_in(encoding), forms, self._score_min))


def forms_in(text: str) -> Scores:
    """The kinds of fixed form in a text of any length, piece by piece."""
    pieces = cut(text, (0, len(text)), EDGE_CHARS_MAX, OVERLAP_CHARS)
    return {span.type: 1.0 for start, end in pieces for span in find_in_part(text[start:end])}


def joined(found: Sequence[Scores]) -> Scores:
    """The highest score of each kind in several texts."""
    best: dict[str, float] = {}
    for scores in found:
        for kind, score in scores.items():
            best[kind] = max(score, best.get(kind, 0.0))
    return best


def join_two(one: Scores, other: Scores) -> Scores:
    """The highest score of each kind in two texts."""
    return joined((one, other))


def names_in(encoding: Encoding | None) -> Sequence[NameSpan]:
    """The names that an encoding holds."""
    return () if encoding is None or encoding.tasks is None else encoding.tasks.names


def best_scores(names: Iterable[NameSpan]) -> Mapping[str, float]:
    """The highest score of each kind."""
    best: dict[str, float] = {}
    for name in names:
        best[name.kind] = max(name.score, best.get(name.kind, 0.0))
    return best
