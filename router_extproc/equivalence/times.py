"""Guard: of what time it is asked. What will be is not what was, nor this year last year.

Most questions mean the same in another tense ("who is Napoleon", "who was Napoleon"). What holds at one time
only does not: who holds an office, what is allowed, what something costs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from router_extproc.equivalence.forms import is_past, plain_content, plain_form, plain_forms
from router_extproc.equivalence.words import Question, listed

_NOW, _PAST, _FUTURE = "now", "past", "future"
#: What it costs now is what it will cost; what it did cost is something else.
_HABIT = "habit"
_ALIKE: Final = ({_HABIT, _FUTURE}, {_HABIT, _NOW})
_WHICH: Final[Mapping[str, str]] = {
    "this": _NOW, "current": _NOW, "last": _PAST, "previous": _PAST, "past": _PAST,
    "next": _FUTURE, "coming": _FUTURE, "upcoming": _FUTURE,
}  # fmt: skip
_DAYS: Final[Mapping[str, tuple[str, str]]] = {
    "today": ("day", _NOW), "yesterday": ("day", _PAST), "tomorrow": ("day", _FUTURE),
    "tonight": ("night", _NOW),
}  # fmt: skip
_PERIODS: Final = plain_forms(
    """
    minute hour day night morning afternoon evening week weekend fortnight month quarter season semester term
    year decade century spring summer autumn fall winter monday tuesday wednesday thursday friday saturday
    sunday january february march april may june july august september october november december
    christmas easter
    """
)
_BE: Final = listed("is are am")
_WILL: Final = listed("will shall ll")
_DID: Final = listed("did was were had")
_AUXILIARIES: Final = _BE | _WILL | _DID | listed("do does has have can must may be")
#: What would be, if: no tense says when.
_SUPPOSING: Final = listed("if would could should unless suppose")
#: Held by one after the other.
_OFFICES: Final = listed(
    """
    president chancellor king queen emperor ceo minister mayor governor owner captain coach manager leader
    chief director champion pope chairman principal boss commander ambassador senator head mp
    """
)
#: They hold for a time, and so do these figures.
_PASSING: Final = listed(
    """
    legal illegal allowed permitted forbidden banned required mandatory compulsory open closed available
    married single employed valid free population price capital hours
    """
)
_HELD: Final = _PASSING | _OFFICES
#: "Has happened" is what "did happen" is.
_PERFECT: Final = listed("has have")
#: Of these the first one stays the first one.
_LASTING: Final = listed("first last best worst greatest most original only ever favorite favourite")
#: What one does for a time; what it will be is what it is ("how much will it cost").
_STATES: Final = plain_forms("cost live reside work own belong open close weigh charge earn")


def same_time(cached: Question, asked: Question) -> str | None:
    """Say "time" when one asks of another time than the other."""
    if _is_other_period(cached.once(_periods), asked.once(_periods)):
        return "time"
    one, other = cached.once(_tense), asked.once(_tense)
    if one == other or None in {one, other} or {one, other} in _ALIKE:
        return None
    return "time" if cached.once(plain_content) == asked.once(plain_content) else None


def _is_other_period(one: Mapping[str, set[str]], other: Mapping[str, set[str]]) -> bool:
    return any(one[name].isdisjoint(other[name]) for name in one.keys() & other.keys())


def _periods(question: Question) -> dict[str, set[str]]:
    """Which of each period it speaks of: of the last year, of this one."""
    found: dict[str, set[str]] = {}
    words = question.words
    for place, word in enumerate(words):
        name, which = _DAYS.get(word, (None, ""))
        if word in _WHICH:
            name, which = _period(words[place + 1 : place + 3]), _WHICH[word]
        if name is not None:
            found.setdefault(name, set()).add(which)
    return found


def _period(behind: Sequence[str]) -> str | None:
    """The period behind "last": "last year", "last few years"."""
    return next((name for name in map(plain_form, behind) if name in _PERIODS), None)


def _tense(question: Question) -> str | None:
    """When it is asked of; None: that is no matter, or cannot be told."""
    words = question.word_set
    if not words.isdisjoint(_SUPPOSING):
        return None
    is_past = not words.isdisjoint(_DID) or _is_plain_past(words)
    if not words.isdisjoint(_WILL):
        return None if is_past else _FUTURE
    return _PAST if is_past else _present(words)


def _is_plain_past(words: frozenset[str]) -> bool:
    """True when no other verb says it: "who owned it"."""
    return words.isdisjoint(_AUXILIARIES) and any(map(is_past, words))


def _present(words: frozenset[str]) -> str | None:
    """What is now of what holds for a time; of all else it is no matter."""
    if not (words.isdisjoint(_LASTING) and words.isdisjoint(_PERFECT)):
        return None
    if not words.isdisjoint(_BE):
        return None if words.isdisjoint(_HELD if "who" in words else _PASSING) else _NOW
    return None if _STATES.isdisjoint(map(plain_form, words)) else _HABIT
