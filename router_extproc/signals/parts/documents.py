"""Reads a tool result: the worst of its passages, each by itself.

A screen by words tells most passages to be harmless; the encoder reads only the others, the most suspicious
first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from router_extproc.models.base import Classifier, Screen
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.passages import passages_of
from router_extproc.signals.parts.reader import Passes, Scores, TextFound

PASSAGE: Final = "passage"


class DocumentReader:
    """Fits parts.reader.TextReader: the score of one label."""

    kind = "document"

    def __init__(self, classifier: Classifier, screen: Screen, label: str, known: KnownTexts[Scores]) -> None:
        self._classifier: Final = classifier
        self._screen: Final = screen
        self._label: Final = label
        self._known: Final = known

    def read(self, text: str, passes: Passes) -> TextFound:
        """See TextReader."""
        worst, left_chars = 0.0, 0
        for passage in self._suspicious(list(dict.fromkeys(passages_of(text)))):
            score = self._score(passage, passes)
            if score is None:
                left_chars += len(passage)
            else:
                worst = max(worst, score)
        return TextFound({self._label: worst}, left_chars)

    def _suspicious(self, passages: Sequence[str]) -> list[str]:
        suspicions = self._screen.suspicions(passages)
        order = sorted(range(len(passages)), key=suspicions.__getitem__, reverse=True)
        return [passages[place] for place in order if suspicions[place] >= 0]

    def _score(self, passage: str, passes: Passes) -> float | None:
        """None: it could not be read any more."""
        known = self._known.get(PASSAGE, passage)
        if known is None:
            encoding = passes.encode(passage, tasks=self._classifier.reads_tasks)
            if encoding is None:
                return None
            known = self._classifier.scores(encoding) if encoding.is_readable else {}
            known = {self._label: known.get(self._label, 0.0)}
            self._known.put(PASSAGE, passage, known)
        return known[self._label]
