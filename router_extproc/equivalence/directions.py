"""Guard: whence and whither. "To the airport" is not "from the airport", nor "come from" "go to"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence.forms import plain_forms, plain_words
from router_extproc.equivalence.words import Question, listed

_TOWARDS: Final = listed("to into onto toward towards")
_AWAY: Final = listed("from")
#: Before "from" it is no way.
_EXCEPT: Final = "apart"
#: Whom or what it is to or from: the word behind these.
_DETERMINERS: Final = listed("the a an my your our his her its their this that these those")
_PERSONS: Final[Mapping[str, str]] = {"me": "i", "him": "he", "them": "they", "us": "we", "yourself": "you"}
#: Behind these verbs one is there, or on the way there.
_ARRIVING: Final = plain_forms("arrive land")
_LEAVING: Final = plain_forms("leave depart")
#: What is told apart or alike is no way: "different to", "different from".
_COMPARING: Final = listed(
    "differ difference differences different distinguish similar same separate compared"
)
_COMING: Final = plain_forms("come originate arrive start")
_GOING: Final = plain_forms("go going lead head end travel")


@dataclass(frozen=True, slots=True)
class _Ways:
    """The ways of a question."""

    #: What they lead to and where they come from.
    towards: frozenset[str]
    away: frozenset[str]
    asks_whence: bool
    asks_whither: bool


def same_direction(cached: Question, asked: Question) -> str | None:
    """Say "roles" when one leads to what the other comes from."""
    one, other = cached.once(_ways), asked.once(_ways)
    return "roles" if _turns(one, other) or _turns(other, one) else None


def _turns(one: _Ways, other: _Ways) -> bool:
    reached, left = one.towards - one.away, other.away - other.towards
    return (one.asks_whither and other.asks_whence) or not reached.isdisjoint(left)


def _ways(question: Question) -> _Ways:
    if not _COMPARING.isdisjoint(question.words):
        return _Ways(frozenset(), frozenset(), asks_whence=False, asks_whither=False)
    verbs = frozenset(question.once(plain_words))
    towards = _TOWARDS
    if verbs & _ARRIVING:
        towards |= {"in", "at"}
    if verbs & _LEAVING:
        towards |= {"for"}
    leads, comes = "where" in question.word_set, "from" in question.word_set
    return _Ways(
        towards=_behind(question, towards),
        away=_behind(question, _AWAY),
        asks_whence=leads and comes and not verbs.isdisjoint(_COMING),
        asks_whither=leads and not comes and not verbs.isdisjoint(_GOING),
    )


def _behind(question: Question, markers: frozenset[str]) -> frozenset[str]:
    """What stands behind one of the markers."""
    found = set()
    is_marked, before = False, ""
    for word, plain in zip(question.words, question.once(plain_words), strict=True):
        if is_marked and word in _DETERMINERS:
            continue
        if is_marked and word not in markers and not word.endswith("ing"):
            found.add(_PERSONS.get(word, plain))
        is_marked = word in markers and before != _EXCEPT
        before = word
    return frozenset(found)
