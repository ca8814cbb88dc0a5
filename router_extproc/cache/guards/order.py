"""Guard: who does what to whom, read from the order of the words that both questions share.

It is not a parser. The rule it keeps: the same words in turned roles ("A better than B", "X to Y") are
another question; a turned noun phrase ("energy sources", "sources of energy") is the same one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router_extproc.cache.guards.words import Question, listed, stem

#: Words whose two sides have different roles.
_DIRECTED = listed(
    """
    than to into from over before after by versus vs against under above below behind beats beat
    """
)
_ADVERB = "ly"


def same_order(cached: Question, asked: Question) -> str | None:
    """Say "roles" when shared words changed their roles, "order" when only the order of all words differs."""
    if any(_turned(cached, asked, marker) for marker in _DIRECTED):
        return "roles"
    one, other = _fixed(cached), _fixed(asked)
    if one != other and sorted(one) == sorted(other):
        return "order"
    return "roles" if _names_swapped(cached, asked) else None


def _fixed(question: Question) -> list[str]:
    # Adverbs stand where they like: "lose weight quickly", "quickly lose weight".
    return [word for word in question.words if not word.endswith(_ADVERB)]


def _turned(cached: Question, asked: Question, marker: str) -> bool:
    if marker not in cached.words or marker not in asked.words:
        return False
    left_one, right_one = _sides(cached, marker)
    left_other, right_other = _sides(asked, marker)
    return bool((left_one - right_one) & (right_other - left_other)) and bool(
        (right_one - left_one) & (left_other - right_other)
    )


def _sides(question: Question, marker: str) -> tuple[set[str], set[str]]:
    at = question.words.index(marker)
    return _stems(question.words[:at]), _stems(question.words[at + 1 :])


def _stems(words: Sequence[str]) -> set[str]:
    return {stem(word) for word in words}


def _names_swapped(cached: Question, asked: Question) -> bool:
    """True when two names that both questions have stand in the other order."""
    one, other = list(_capitals(cached)), list(_capitals(asked))
    shared = [name for name in one if name in other]
    return len(set(shared)) > 1 and shared != [name for name in other if name in one]


def _capitals(question: Question) -> Iterator[str]:
    for token in question.tokens:
        if token.kind == "word" and token.written[0].isupper() and not token.opens:
            yield stem(token.text)
