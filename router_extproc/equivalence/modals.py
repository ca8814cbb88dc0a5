"""Guard: leave, advice and duty. What one may do is not what one must."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final

from router_extproc.equivalence.forms import plain_content, plain_form
from router_extproc.equivalence.words import Question, listed

_LEAVE, _ADVICE, _DUTY = "leave", "advice", "duty"
_MODALS: Final[Mapping[str, str]] = {
    **dict.fromkeys(("can", "may", "could"), _LEAVE),
    **dict.fromkeys(("should", "shall", "ought"), _ADVICE),
    "must": _DUTY,
}
#: They say the same before "to".
_BEFORE_TO: Final[Mapping[str, str]] = {
    **dict.fromkeys(("allowed", "permitted", "able"), _LEAVE),
    **dict.fromkeys(("have", "has", "need", "needs", "required", "obliged"), _DUTY),
}
#: No difference in content.
_SAID: Final = frozenset(map(plain_form, _BEFORE_TO))
#: Of what it takes to reach something, everything is a way: "what must I do to", "how can I".
_DO: Final = "do"
_REACHING: Final = listed("to if for in about with")
_MANNERS: Final = listed("how why")
#: What the asker should do is mostly what he can; what others may do is not what they should.
_ASKERS: Final = listed("i you we one me us someone somebody anyone")
#: What opens with one of them asks for leave, advice or duty itself.
_OPENING: Final = frozenset({*_MODALS, "am", "is", "are", "do", "does", "when"})


def same_modality(cached: Question, asked: Question) -> str | None:
    """Say "modal" when one asks what may be done, and the other what should or must be."""
    one, other = cached.once(_modality), asked.once(_modality)
    if one == other or None in {one, other} or not _counts({one, other}, cached, asked):
        return None
    return "modal" if cached.once(_content) == asked.once(_content) else None


def _counts(differing: set[str | None], cached: Question, asked: Question) -> bool:
    """True when such a difference is one in what is asked."""
    if differing == {_LEAVE, _DUTY}:
        return True
    if differing == {_ADVICE, _DUTY}:
        # What I need to do is what I should do.
        is_strict = any("must" in question.word_set for question in (cached, asked))
        return is_strict and cached.words[0] in _OPENING and asked.words[0] in _OPENING
    return _ASKERS.isdisjoint(cached.words) and _ASKERS.isdisjoint(asked.words)


def _modality(question: Question) -> str | None:
    """Leave, advice or duty; None: none of them, several, or it is no matter which."""
    words = question.words
    if not _MANNERS.isdisjoint(words) or any(one == _DO and two in _REACHING for one, two in pairwise(words)):
        return None
    said = {_MODALS[word] for word in words if word in _MODALS}
    said |= {_BEFORE_TO[one] for one, two in pairwise(words) if two == "to" and one in _BEFORE_TO}
    return said.pop() if len(said) == 1 else None


def _content(question: Question) -> frozenset[str]:
    return question.once(plain_content) - _SAID
