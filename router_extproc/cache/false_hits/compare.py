"""Compares two answers to nearly the same question: do they say the same?

Answers that cannot be compared count as different, so a cache looks worse than it is and never better.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

import numpy as np

from router_extproc.equivalence import QUESTION_CHARS_MAX, read_question
from router_extproc.equivalence.numbers import same_numbers
from router_extproc.equivalence.polarity import same_polarity
from router_extproc.llm.answer import AnswerFacts, Choice
from router_extproc.models.base import Encoder

#: Cosine from which two answers are taken to say the same.
ANSWER_SIMILARITY_MIN: Final = 0.8
#: Answers up to here are one statement: a number or a "not" in one alone makes them different.
#: Longer ones differ in such details each time a model is asked.
STATEMENT_CHARS_MAX: Final = 200


@dataclass(frozen=True, slots=True)
class Likeness:
    """What a comparison of two answers has found."""

    #: Both say the same, as far as a comparison of texts can say.
    same: bool
    #: It can: the texts are equal; or one has tool calls or a text, and the other has not. No cosine is
    #: certain: "Alice paid Bob" and "Bob paid Alice" have 0.99.
    certain: bool


_SURELY_SAME: Final = Likeness(same=True, certain=True)
_SURELY_DIFFERENT: Final = Likeness(same=False, certain=True)


class AnswerComparison:
    """Compares answers; blocks for up to two encoder passes, so it runs in the inference executor."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder: Final = encoder

    def same(self, cached: AnswerFacts, fresh: AnswerFacts) -> bool:
        """True when both say the same, as far as a comparison of texts can say."""
        return self.compare(cached, fresh).same

    def compare(self, one: AnswerFacts, other: AnswerFacts) -> Likeness:
        """Whether both say the same, and how sure that is."""
        if len(one.choices) != len(other.choices):
            return _SURELY_DIFFERENT
        found = _SURELY_SAME
        for pair in zip(one.choices, other.choices, strict=True):
            likeness = self._of_choices(*pair)
            if not likeness.same:
                return likeness
            found = likeness if found.certain else found
        return found

    def _of_choices(self, one: Choice, other: Choice) -> Likeness:
        if _calls(one) != _calls(other):
            return _SURELY_DIFFERENT
        return self._of_texts(_plain(one.text), _plain(other.text))

    def _of_texts(self, one: str, other: str) -> Likeness:
        if one == other:
            return _SURELY_SAME
        if not one or not other:
            return _SURELY_DIFFERENT
        if _contradicts(one, other):
            return Likeness(same=False, certain=False)
        read = [self._encoder.encode(text) for text in (one, other)]
        similarity = float(np.dot(read[0].vector, read[1].vector))
        return Likeness(similarity >= ANSWER_SIMILARITY_MIN, certain=False)


def _plain(text: str) -> str:
    """Without what does not change the meaning."""
    return " ".join(text.casefold().split())


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
