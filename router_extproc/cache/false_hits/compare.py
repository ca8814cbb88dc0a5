"""Do two answers to nearly the same question say the same?

Answers that cannot be compared count as different, so a cache looks worse than it is and never better.
"""

from __future__ import annotations

import json
from typing import Final

import numpy as np

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.numbers import same_numbers
from router_extproc.equivalence.polarity import same_polarity
from router_extproc.llm.answer import Answer, Choice
from router_extproc.models.base import Encoder

#: Cosine from which two answers are taken to say the same.
ANSWER_SIMILARITY_MIN: Final = 0.8
#: Answers up to here are one statement: a number or a "not" in one alone makes them different.
#: Longer ones differ in such details each time a model is asked.
STATEMENT_CHARS_MAX: Final = 200


class AnswerComparison:
    """Compares answers; blocks for up to two encoder passes, so it runs in the inference executor."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder: Final = encoder

    def same(self, cached: Answer, fresh: Answer) -> bool:
        """True when both say the same, as far as a comparison of texts can say."""
        if len(cached.choices) != len(fresh.choices):
            return False
        return all(self._same_choice(*pair) for pair in zip(cached.choices, fresh.choices, strict=True))

    def _same_choice(self, cached: Choice, fresh: Choice) -> bool:
        if _calls(cached) != _calls(fresh):
            return False
        return self._same_text(_plain(cached.content), _plain(fresh.content))

    def _same_text(self, cached: str, fresh: str) -> bool:
        if cached == fresh:
            return True
        if not cached or not fresh or _contradicts(cached, fresh):
            return False
        one, other = self._encoder.encode(cached), self._encoder.encode(fresh)
        return float(np.dot(one.vector, other.vector)) >= ANSWER_SIMILARITY_MIN


def _plain(content: str | None) -> str:
    """Without what does not change the meaning."""
    return " ".join((content or "").casefold().split())


def _contradicts(cached: str, fresh: str) -> bool:
    if max(len(cached), len(fresh)) > min(STATEMENT_CHARS_MAX, QUESTION_CHARS_MAX):
        return False
    one, other = read_question(cached), read_question(fresh)
    return same_numbers(one, other) is not None or same_polarity(one, other) is not None


def _calls(choice: Choice) -> list[tuple[str, object]]:
    return [(call.name, _arguments(call.arguments)) for call in choice.tool_calls]


def _arguments(text: str) -> object:
    """The arguments whatever their spacing; what is no JSON as it stands."""
    try:
        arguments: object = json.loads(text)
    except ValueError:
        return text
    return arguments
