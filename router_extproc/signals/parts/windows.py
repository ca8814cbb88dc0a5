"""Reads a text that somebody may have written to the model: the worst of the windows that it is cut into."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, TypeAlias

from router_extproc.models.base import Encoding
from router_extproc.signals.parts.known import KnownTexts
from router_extproc.signals.parts.passages import cut, windows_of
from router_extproc.signals.parts.reader import Passes, Scores, TextFound

#: A window that holds more tokens than the encoder reads is read in halves, down to so many characters.
WINDOW_CHARS_MIN: Final = 100
#: Characters that two halves share.
HALVES_OVERLAP_CHARS: Final = 40

#: What a window says, from its encoding.
ReadWindow: TypeAlias = Callable[[str, Encoding], Scores]
#: One from what two windows say.
JoinScores: TypeAlias = Callable[[Scores, Scores], Scores]


class WindowReader:
    """Fits parts.reader.TextReader."""

    def __init__(
        self, kind: str, read: ReadWindow, join: JoinScores, known: KnownTexts[Scores], *, tasks: bool
    ) -> None:
        self.kind = kind
        self._read: Final = read
        self._join: Final = join
        self._known: Final = known
        self._tasks: Final = tasks

    def read(self, text: str, passes: Passes) -> TextFound:
        """See TextReader."""
        scores: Scores = {}
        left_chars = 0
        waiting = deque(windows_of(text))
        while waiting:
            window = waiting.popleft()
            known = self._known.get(f"{self.kind} part", window)
            if known is None:
                encoding = passes.encode(window, tasks=self._tasks)
                if encoding is None:
                    left_chars += len(window)
                    continue
                known = self._read(window, encoding)
                if encoding.truncated and len(window) > WINDOW_CHARS_MIN:
                    waiting.extendleft(halves_of(window))
                else:
                    self._known.put(f"{self.kind} part", window, known)
            scores = self._join(scores, known)
        return TextFound(scores, left_chars)


def halves_of(window: str) -> list[str]:
    """Both halves of a window, the last first."""
    half = len(window) // 2 + HALVES_OVERLAP_CHARS // 2
    places = cut(window, (0, len(window)), half, HALVES_OVERLAP_CHARS)
    return [window[start:end] for start, end in places][::-1]
