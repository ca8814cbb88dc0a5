"""Guard: who acts and who is acted upon, in two questions of the same words.

Order, case and voice tell it: "who wrote to her" is not "who did she write to", nor "who hired her" "who was
hired by her". Turned twice it is the same again: "whom did she hire".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, zip_longest
from typing import Final

from router_extproc.equivalence.forms import is_participle, plain_form, plain_forms, plain_words
from router_extproc.equivalence.words import FUNCTION_WORDS, Question, Token, listed

_SUBJECTS: Final = listed("i he she we they")
_PERSONS: Final[Mapping[str, str]] = {
    **{word: word for word in (*_SUBJECTS, "you")},
    "me": "i", "him": "he", "her": "she", "us": "we", "them": "they",
}  # fmt: skip
#: Function words that are verbs by which one does something to another.
_VERBS: Final = listed("tell know explain give show get got getting let like")
_VERB_FORMS: Final = frozenset(map(plain_form, _VERBS))
_IDENTITIES: Final = frozenset(_PERSONS.values())
_UNNAMED: Final = FUNCTION_WORDS - _VERBS
_ASKS_FOR_ONE: Final = listed("who whom what which")
_BE: Final = listed("am is are was were be been being")
_DO: Final = listed("do does did")
#: Behind them stands either what one does, or who does it.
_BEFORE_EITHER: Final = listed("has have had will would can could shall should may might must")
_AUXILIARIES: Final = _BE | _DO | _BEFORE_EITHER
#: Both orders ask the same of two that do it together: "who met her", "whom did she meet".
_TOGETHER: Final = plain_forms("marry meet date divorce resemble relate similar")
#: And of things: "what costs a car", "what does a car cost".
_EITHER_WAY: Final = plain_forms("cost happen become equal weigh look call name")
_ASKS_FOR_THING: Final = listed("what which")
#: "by" before one of these says how or when.
_NO_AGENTS: Final = listed("hand mail phone default now then law using far means way")
#: With more words it is another kind of question, and who acts is one of many things in it.
_NAMED_MAX: Final = 12


@dataclass(frozen=True, slots=True)
class _Clause:
    """Whom and what a question names."""

    #: Persons, and plain forms of the words with content, in order.
    named: tuple[str, ...]
    #: Persons that are named as the one who acts.
    acting: frozenset[str]
    #: Something is done by somebody.
    is_passive: bool
    #: Nothing is done to anybody, and nobody is anything: all that is said is what one does.
    is_active: bool
    #: Asks for somebody or something that acts or is acted upon.
    asks_for_one: bool
    asks_for_thing: bool
    auxiliaries: frozenset[str]
    #: What stands directly behind one of them, and what is going on.
    behind: frozenset[str]
    ongoing: frozenset[str]


def same_agent(cached: Question, asked: Question) -> str | None:
    """Say "roles" when who acts in one question is acted upon in the other."""
    # Nearly all pairs end here: what else is read of a clause costs more.
    if cached.once(_names) != asked.once(_names):
        return None
    one, other = cached.once(_clause), asked.once(_clause)
    if one.named == other.named:
        turned = (one.is_passive and other.is_active) or (one.is_active and other.is_passive)
        return "roles" if turned and _EITHER_WAY.isdisjoint(one.named) else None
    if one.is_passive or other.is_passive or not _names_few_once(one, other):
        return None
    return "roles" if _changed_places(one, other) or _asks_for_the_other(one, other) else None


def _names_few_once(one: _Clause, other: _Clause) -> bool:
    return len(set(one.named)) == len(one.named) == len(other.named) <= _NAMED_MAX


def _changed_places(one: _Clause, other: _Clause) -> bool:
    """True when two changed sides of what stands between them, one of them a person, or between them a verb.

    Other verbs are content, of which `order` sees as much.
    """
    places = {name: place for place, name in enumerate(other.named)}
    return any(
        places[first] > places[between] > places[last]
        and (between in _VERB_FORMS or _may_change(first, last, one, other))
        for first, between, last in combinations(one.named, 3)
    )


def _may_change(first: str, last: str, one: _Clause, other: _Clause) -> bool:
    """True when one of them is a person who acts in one of both questions only, and the other may be one."""
    turned = one.acting ^ other.acting
    # Of "you" nothing but the order tells.
    fixed = _IDENTITIES - turned - {"you"}
    return fixed.isdisjoint((first, last)) and not turned.isdisjoint((first, last))


def _asks_for_the_other(one: _Clause, other: _Clause) -> bool:
    """True when one asks who acts and the other for whom, or what, it is done to."""
    if not (one.asks_for_one and other.asks_for_one):
        return False
    return _asks_who_acts(one, other) or _asks_who_acts(other, one)


def _asks_who_acts(one: _Clause, other: _Clause) -> bool:
    """True when `one` asks who does what somebody does in `other`."""
    start = next(at for at, name in enumerate(one.named) if name != other.named[at])
    verb = one.named[start]
    end = other.named.index(verb)
    actors = other.named[start:end]
    if one.named[start : end + 1] != (verb, *actors) or one.named[end + 1 :] != other.named[end + 1 :]:
        return False
    if verb in _TOGETHER or (one.asks_for_thing and verb in _EITHER_WAY):
        return False
    return not (other.acting - one.acting).isdisjoint(actors) or _opens_with(verb, one, other)


def _opens_with(verb: str, one: _Clause, other: _Clause) -> bool:
    """True when that word, which comes first in `one` and behind another in `other`, is the verb of both."""
    if other.auxiliaries & _DO:
        return not one.auxiliaries
    if verb not in one.behind:
        return False
    is_either = one.auxiliaries == other.auxiliaries <= _BEFORE_EITHER
    return is_either or (verb in one.ongoing & other.ongoing and not other.auxiliaries.isdisjoint(_BE))


def _clause(question: Question) -> _Clause:
    words = question.words
    places, before = question.once(_named), ("", *words)
    auxiliaries = question.word_set & _AUXILIARIES
    is_done = _done(words) is not None
    return _Clause(
        named=tuple(places.values()),
        acting=_SUBJECTS & question.word_set,
        is_passive=is_done and _is_by_somebody(question),
        is_active=not is_done and auxiliaries.isdisjoint(_BE),
        asks_for_one=not _ASKS_FOR_ONE.isdisjoint(words),
        asks_for_thing=not _ASKS_FOR_THING.isdisjoint(words),
        auxiliaries=auxiliaries,
        behind=frozenset(name for place, name in places.items() if before[place] in _AUXILIARIES),
        ongoing=frozenset(name for place, name in places.items() if words[place].endswith("ing")),
    )


def _names(question: Question) -> frozenset[str]:
    return frozenset(question.once(_named).values())


def _named(question: Question) -> dict[int, str]:
    """Persons and plain forms by their place among the words."""
    words, named = question.words, {}
    for place, (word, plain) in enumerate(zip(words, question.once(plain_words), strict=True)):
        if word in _PERSONS:
            if not _is_hers(words, place):
                named[place] = _PERSONS[word]
        elif word not in _UNNAMED and not word.endswith("ly"):
            named[place] = plain
    return named


def _is_hers(words: Sequence[str], place: int) -> bool:
    """True when "her" says whose something is, and names nobody."""
    return (
        words[place] == "her"
        and words[place + 1 : place + 2] != ()
        and words[place + 1] not in FUNCTION_WORDS
    )


def _done(words: Sequence[str]) -> int | None:
    """Where it says what is, or was, done."""
    be = next((place for place, word in enumerate(words) if word in _BE), len(words))
    return next((place for place in range(be + 1, len(words)) if is_participle(words[place])), None)


def _is_by_somebody(question: Question) -> bool:
    """True when somebody is named with "by" who does it, or is asked for: "by whom was he seen"."""
    done = _done(question.words)
    if done is None or question.words[0] == "by":
        return done is not None
    place = -1
    for token, behind in zip_longest(question.tokens, question.tokens[1:]):
        place += token.kind == "word"
        if token.text == "by" and place > done and (behind is None or _may_act(behind)):
            return True
    return False


def _may_act(token: Token) -> bool:
    return token.kind == "word" and token.text not in _NO_AGENTS and not token.text.endswith("ing")
