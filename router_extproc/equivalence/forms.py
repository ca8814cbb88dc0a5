"""The plain form of a word: what "fell", "falling" and "fallen" have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.equivalence.words import FUNCTION_WORDS, Question, listed, stem

#: Verbs that form their tenses otherwise, without those whose forms are other words (saw, left, found).
_IRREGULAR = tuple(
    group.split("/")
    for group in listed(
        """
        fall/fell/fallen buy/bought bring/brought teach/taught think/thought catch/caught fight/fought
        sell/sold tell/told hold/held keep/kept sleep/slept feel/felt meet/met lose/lost send/sent
        spend/spent build/built pay/paid speak/spoke/spoken break/broke/broken choose/chose/chosen
        drive/drove/driven write/wrote/written eat/ate/eaten give/gave/given take/took/taken
        grow/grew/grown know/knew/known throw/threw/thrown fly/flew/flown draw/drew/drawn
        begin/began/begun drink/drank/drunk swim/swam/swum sing/sang/sung sink/sank/sunk
        become/became come/came run/ran get/got/gotten forget/forgot/forgotten win/won
        sit/sat stand/stood understand/understood make/made go/went/gone bite/bitten beat/beaten
        hide/hid/hidden steal/stole/stolen wear/wore/worn feed/fed hear/heard say/said see/seen
        ride/rode/ridden shake/shook/shaken swear/swore/sworn lend/lent forgive/forgave/forgiven
        """
    )
)
_PLAIN_FORMS: Final[Mapping[str, str]] = {form: plain for plain, *forms in _IRREGULAR for form in forms}
#: What stands behind "was" in the passive, where it does not end in -ed.
_PARTICIPLES: Final = frozenset(
    {forms[-1] for forms in _IRREGULAR} | listed("found left led shot hit put cut hurt read done shown")
)


def plain_form(word: str) -> str:
    """The stem of its plain form: fell and falling are forms of fall."""
    return stem(_PLAIN_FORMS.get(word, word))


def plain_forms(words: str) -> frozenset[str]:
    """The plain forms of a list, written with white space between its words."""
    return frozenset(map(plain_form, words.split()))


def is_participle(word: str) -> bool:
    """True when the word may stand behind "was" in the passive."""
    return word.endswith("ed") or word in _PARTICIPLES


def is_past(word: str) -> bool:
    """True when it may be a past tense, or a participle."""
    return word.endswith("ed") or word in _PLAIN_FORMS


def plain_words(question: Question) -> tuple[str, ...]:
    """The plain forms of its words, in order."""
    return tuple(map(plain_form, question.words))


def plain_content(question: Question) -> frozenset[str]:
    """The plain forms of its words that carry content, adverbs left out."""
    return frozenset(
        plain
        for word, plain in zip(question.words, question.once(plain_words), strict=True)
        if word not in FUNCTION_WORDS and not word.endswith("ly")
    )
