"""Which prepositions and particles exclude each other in one place of two questions otherwise equal.

Most of them stand for each other ("in school", "at school"; "on Quora", "in Quora"), so each rule says where
they do not: in or on a thing, behind a verb, before a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from router_extproc.equivalence.forms import plain_form, plain_forms
from router_extproc.equivalence.words import listed

#: They do wherever they stand.
_ANYWHERE: Final = tuple(
    listed(group)
    for group in (
        "to from",
        "for from",
        "by about",
        "by for",
        "before after during since until while",
        "above below under over between behind beside near inside outside",
        "with without for against",
    )
)
#: Where a thing is, in respect to another one.
_PLACES: Final = listed("in on at over under above below behind near inside outside across opposite")
#: They say where, and mostly that alone.
_PLAIN_PLACES: Final = listed("under below behind near outside across opposite")
_SAME_PLACES: Final = ({"in", "at"}, {"in", "inside"})
#: Of a thing with one of these before it one may be in it or on it.
_DETERMINERS: Final = listed("the a an my your our his her its their this that these those")
#: In or on them is the same.
_MEDIA: Final = listed(
    """
    internet web net computer laptop notebook pc phone mobile smartphone iphone tablet device screen app
    application site website page webpage platform program software system network server account profile
    market field industry world earth planet universe life team committee course exam test project
    subject topic area region continent island coast beach farm street road weekend morning evening night day
    stock news media radio television tv plane bus train ship boat car bike van calculator keyboard
    browser document file spreadsheet list menu group forum blog channel video photo picture image map
    ocean sea sky west east north south side end beginning middle top bottom future past
    """
)
#: How far behind the preposition the thing may stand: "in a very old car".
_THING_WITHIN: Final = 3
#: Particles that make another verb of one: give up, give in.
_PARTICLES: Final = listed("up down out off over through into in on for after to at with")
_PLAIN_PARTICLES: Final = listed("up down out off")
#: Behind some verbs two of them say the same.
_SAME_PARTICLES, _BEHIND = {"up", "out"}, listed("end turn made make")
#: With them a preposition says to whom, for whom or of what.
_ADDRESSING: Final = plain_forms("speak talk write sing read lie sell vote pray complain apologize care")
_ADDRESSED: Final = listed("to for about against at")
#: By a day is until it.
_DAYS: Final = listed(
    "monday tuesday wednesday thursday friday saturday sunday noon midnight tomorrow tonight morning evening"
)
_ON_DAYS: Final = listed("on at in")


def are_exclusive(one: str, other: str, before: Sequence[str], behind: Sequence[str]) -> bool:
    """True when one preposition or particle does not stand for the other between these words."""
    both = {one, other}
    if any(both <= group for group in _ANYWHERE):
        return True
    if both <= _PLACES and _are_other_places(both, behind):
        return True
    if both <= _PARTICLES and both & _PLAIN_PARTICLES:
        return both != _SAME_PARTICLES or _BEHIND.isdisjoint(before[-1:])
    if both <= _ADDRESSED and not _ADDRESSING.isdisjoint(map(plain_form, before[-2:])):
        return True
    return "by" in both and not both.isdisjoint(_ON_DAYS) and not _DAYS.isdisjoint(behind[:1])


def _are_other_places(both: set[str], behind: Sequence[str]) -> bool:
    if both in _SAME_PLACES:
        return False
    if both & _PLAIN_PLACES:
        return True
    if not behind or behind[0] not in _DETERMINERS:
        return False
    return _MEDIA.isdisjoint(behind[1 : 1 + _THING_WITHIN])
