"""Guard: who does what to whom, read from the order of the words that both questions share.

The same words in turned roles ("A better than B", "X to Y") are another question; a turned noun phrase
("energy sources", "sources of energy") is the same one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from router_extproc.equivalence.words import Question, listed

#: Words whose two sides have different roles.
_DIRECTED = listed(
    "than to into from on over under before after by versus vs against above below behind beats beat"
)
#: Words that turn a noun phrase around: "sources of energy" is "energy sources".
_TURNING = listed("of for in with on at")
#: Words of one part of a turned noun phrase, at most.
_PHRASE_WORDS_MAX = 3
_ADVERB = "ly"
#: What stands before one of these is what is said of by what stands behind it.
_COPULAS = listed("is are was were be become becomes mean means make makes cause causes")
#: Words that changed places.
_EXCHANGED = 2


def same_roles(cached: Question, asked: Question) -> str | None:
    """Say "roles" when shared words changed sides, or what is said of one is said of another.

    Narrow enough to have the last word beside the learned verifier.
    """
    markers = cached.once(_markers) & asked.once(_markers)
    if any(_changed_sides(cached, asked, marker) for marker in markers):
        return "roles"
    turned = (_is_mirrored, _is_said_of_another, _is_exchanged)
    return "roles" if any(differs(cached, asked) for differs in turned) else None


def same_order(cached: Question, asked: Question) -> str | None:
    """Say "roles" as `same_roles` does, "order" when shared words changed their order otherwise."""
    roles = same_roles(cached, asked)
    if roles is not None:
        return roles
    one, other = cached.once(_fixed), asked.once(_fixed)
    if one != other and sorted(one) == sorted(other):
        return "order"
    return None if _reads_alike(cached, asked) else "order"


def _markers(question: Question) -> frozenset[str]:
    return _DIRECTED & question.word_set


def _changed_sides(cached: Question, asked: Question, marker: str) -> bool:
    """True when one shared word went from the left of the marker to its right, and another came back."""
    left_one, right_one = _sides(cached, marker)
    left_other, right_other = _sides(asked, marker)
    went = (left_one - right_one) & (right_other - left_other)
    came = (right_one - left_one) & (left_other - right_other)
    return bool(went and came)


def _sides(question: Question, marker: str) -> tuple[set[str], set[str]]:
    at = question.words.index(marker)
    return set(question.stems[:at]), set(question.stems[at + 1 :])


def _is_mirrored(cached: Question, asked: Question) -> bool:
    """True when two shared words changed places around a third: "cats chase dogs", "dogs chase cats".

    Parts that only changed places ("in Rome, where …", "where … in Rome") turn no three words around;
    a turned noun phrase might ("can its size be increased", "increase the size of it").
    """
    if cached.once(_turning) != asked.once(_turning):
        return False
    places = {word: place for place, word in enumerate(_shared(asked, cached))}
    # The largest place that ends a falling run of one word, and of two.
    one = two = -1
    for word in _shared(cached, asked):
        place = places[word]
        if place < two:
            return True
        if place < one:
            two = max(two, place)
        one = max(one, place)
    return False


def _is_said_of_another(cached: Question, asked: Question) -> bool:
    """True when each says another of the same words again: "A and B, how does A win"."""
    if cached.content_set != asked.content_set:
        return False
    one, other = Counter(cached.content), Counter(asked.content)
    return bool(one - other) and bool(other - one)


def _is_exchanged(cached: Question, asked: Question) -> bool:
    """True when all is the same but two words on both sides of "are": "how many of A are B"."""
    one, other = cached.content, asked.content
    if len(one) != len(other) or cached.content_set != asked.content_set:
        return False
    places = [place for place, words in enumerate(zip(one, other, strict=True)) if len({*words}) > 1]
    if len(places) != _EXCHANGED or cached.once(_turning) != asked.once(_turning):
        return False
    return all(_is_said_between(question, *(one[place] for place in places)) for question in (cached, asked))


def _is_said_between(question: Question, one: str, other: str) -> bool:
    start, end = sorted((question.stems.index(one), question.stems.index(other)))
    return not _COPULAS.isdisjoint(question.words[start:end])


def _fixed(question: Question) -> list[str]:
    # Adverbs stand where they like: "lose weight quickly", "quickly lose weight".
    return [word for word in question.words if not word.endswith(_ADVERB)]


def _reads_alike(cached: Question, asked: Question) -> bool:
    """True when the shared words come in one order, or differ by one turned noun phrase."""
    one = _shared(cached, asked)
    other = _shared(asked, cached)
    return one == other or (_is_one_turn(one, other) and cached.once(_turning) != asked.once(_turning))


def _shared(question: Question, other: Question) -> list[str]:
    known = other.content_set
    return [word for word in question.once(_distinct) if word in known]


def _distinct(question: Question) -> tuple[str, ...]:
    return tuple(dict.fromkeys(question.content))


def _turning(question: Question) -> Counter[str]:
    return Counter(word for word in question.words if word in _TURNING)


def _is_one_turn(one: Sequence[str], other: Sequence[str]) -> bool:
    """True when two neighbouring short blocks changed places; `one` and `other` differ in order only."""
    start = next(at for at in range(len(one)) if one[at] != other[at])
    end = next(at for at in range(len(one), 0, -1) if one[at - 1] != other[at - 1])
    before, after = list(one[start:end]), list(other[start:end])
    return any(
        before[cut:] + before[:cut] == after
        for cut in range(1, len(before))
        if max(cut, len(before) - cut) <= _PHRASE_WORDS_MAX
    )
