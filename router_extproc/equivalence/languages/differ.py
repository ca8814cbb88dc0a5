"""Names what two questions in one language differ in, to say why a match was refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final, Literal

from router_extproc.equivalence.languages.canonical import WORDS_MAX
from router_extproc.equivalence.languages.language import (
    Language,
    Phrase,
    count_negations,
    find_phrases,
    has_affix,
)

#: Words of each text that are looked at for opposites; questions that differ in more are other questions.
_COMPARED_MAX: Final = 6

Difference = Literal["negation", "numbers", "opposite", "intent", "order", "symbols", "words"]


def find_difference(cached: Phrase, asked: Phrase, language: Language) -> Difference:
    """The first that is found; "words": something else that nobody has proven harmless."""
    if max(len(cached), len(asked)) > WORDS_MAX:
        return "words"
    if cached == asked:
        return "symbols"
    one, other = Counter(cached), Counter(asked)
    # Each once: hostile text repeats a word a thousand times.
    only_one, only_other = tuple(one - other), tuple(other - one)
    if _negations(only_one, cached, language) != _negations(only_other, asked, language):
        return "negation"
    if _numbers(cached, language) != _numbers(asked, language):
        return "numbers"
    return _other_difference((only_one, cached), (only_other, asked), language)


def _other_difference(
    cached: tuple[Phrase, Phrase], asked: tuple[Phrase, Phrase], language: Language
) -> Difference:
    """Of each text the words that only it has, and all."""
    (only_one, one), (only_other, other) = cached, asked
    if _are_opposite(only_one, only_other, language):
        return "opposite"
    if sorted(find_phrases(one, language.questions)) != sorted(find_phrases(other, language.questions)):
        return "intent"
    return "words" if only_one or only_other else "order"


def _negations(own: Phrase, words: Phrase, language: Language) -> int:
    if language.is_joined:
        return len(count_negations(language, words))
    found = len(find_phrases(words, language.negations))
    return found + sum(has_affix(word, affix) for word in own for affix in language.affixes)


def _numbers(words: Phrase, language: Language) -> list[str]:
    digits = (language.numbers.get(word, word) for word in words)
    return [word for word in digits if word.isdecimal()]


def _are_opposite(own: Phrase, others: Phrase, language: Language) -> bool:
    pairs = language.opposites
    if language.is_joined:
        one, other = "".join(own), "".join(others)
        return any(first in one and second in other for first, second in pairs)
    own, others = own[:_COMPARED_MAX], others[:_COMPARED_MAX]
    if any((first, second) in pairs for first in own for second in others):
        return True
    prefixes = language.prefixes
    return any(_is_turned(first, second, prefixes) for first in own for second in others)


def _is_turned(one: str, other: str, prefixes: Sequence[tuple[str, str]]) -> bool:
    return any(
        one.startswith(first[:-1])
        and other.startswith(second[:-1])
        and one[len(first) - 1 :] == other[len(second) - 1 :]
        for first, second in prefixes
    )
