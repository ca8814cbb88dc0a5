"""What was put back into one answer and what was masked in it, by kind; never the values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class AnswerTally:
    """Counts of one answer; grows while it passes."""

    #: Placeholders that became values again.
    restored: Counter[str] = field(default_factory=Counter)
    #: Placeholders that stand for nothing: the model has made them up.
    invented: Counter[str] = field(default_factory=Counter)
    #: Secrets that were not in the request.
    masked: Counter[str] = field(default_factory=Counter)
