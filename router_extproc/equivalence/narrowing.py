"""Guard: a word or phrase that narrows one question and for which nothing stands in the other.

"How do I learn chess?" may be answered with classes, "How do I learn chess on my own?" may not. Encoder and
net see that nearly all is the same. What narrows is listed by kind. Words that stress, hedge or are polite do
not narrow, nor do those that say what a question means without them ("permanently", "currently").
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence.words import FUNCTION_WORDS, Question, listed

#: A longer question says much that another one for the same leaves out, and so does one that has more words
#: than this beside the other.
WORDS_MAX: Final = 20
MORE_WORDS_MAX: Final = 6
#: Words between a preposition and what it introduces ("for an absolute beginner"), at most.
_BETWEEN_MAX: Final = 2


@dataclass(frozen=True, eq=False, slots=True)
class _Kind:
    """One way to narrow a question."""

    #: Words that narrow.
    narrowing: frozenset[str]
    #: One of these in the other question says something like it.
    standing: frozenset[str]
    #: One of these stands before a word that narrows; none: it narrows wherever it stands.
    behind: frozenset[str] = frozenset()


# ── kinds: words that narrow | what else may stand for them ───────────────────────────────────

#: How, by what means, how far: wherever they stand.
_ANYWHERE: Final = """
quickly rapidly immediately instantly overnight asap swiftly
    | fast faster fastest quick quicker quickest rapid immediate instant soon sooner once speed short shortest
online | internet web website websites app apps site sites
offline | disconnected
naturally organically | natural organic herbal home nature remedy remedies without
legally lawfully legitimately | legal lawful legitimate legit law laws
illegally unlawfully | illegal unlawful
securely | secure security safe safely
humanely painlessly | humane painless painful pain
ethically | ethical ethics
cheaply inexpensively | cheap cheaper cheapest inexpensive affordable budget low lowest save free
professionally | professional professionals career
independently | own alone myself yourself oneself self
anonymously | anonymous anonymity
secretly discreetly | secret discreet noticed knowing
privately | private privacy
publicly | public
remotely | remote distance away
automatically programmatically | automatic automate automated automation script code program
manually | manual hand hands
temporarily | temporary while
wirelessly | wireless wifi bluetooth
abroad overseas | foreign international country countries
internationally worldwide | international global globally world
locally | local near nearby
severe severely | serious seriously extreme extremely bad badly intense strong heavy worst
chronic | persistent constant constantly always recurring
acute | sudden suddenly
mild | minor light slight
moderate | medium
terminal | incurable dying
only solely exclusively | just alone purely exclusive
"""
#: Who, when, where, with what: behind one of the words that the line begins with.
_BEHIND: Final = """
as/for: beginner beginners newbie newbies novice novices
    | starter basics start starting new scratch begin learn learning
for/in/as: kid kids child children toddler toddlers | baby babies young boy boys girl girls son daughter
for/in/as: baby babies infant infants newborn newborns | child children
for/in/as: teen teens teenager teenagers adolescent adolescents | young youth
for/in/as: adult adults | grown
for/in/as: senior seniors elderly | old older age aged
for/in/as: woman women female females lady ladies | girl girls she her wife
for/in/as: man men male males | guy guys boy boys he his husband
for/as: student students | college school university study studying
for/as: fresher freshers | graduate graduates new
for/as: foreigner foreigners expat expats immigrant immigrants | foreign
for/in: dog dogs puppy puppies | pet pets
for/in: cat cats kitten kittens | pet pets
for: diabetic diabetics | diabetes
at/during: night | nights evening sleep sleeping bed
in/during: winter | cold snow
in/during: summer | hot heat
in/during: pregnancy | pregnant
on/over/at: weekend weekends | saturday sunday
by: hand | manual manually hands
by/on: train | trains rail railway
by/on: bus | buses
by: car | drive driving cars road
by: plane air | fly flight flights airplane
by/on: bike bicycle foot | walk walking cycle cycling ride
by/over: phone | call calling telephone number
by/via: email mail | e
in: person | face
in: bulk | wholesale
in: public | people crowd
in: cash | money
on: budget | cheap cheaply affordable money low
"""
#: What something is done in or with, each behind one of _USING. A bar joins names of one thing.
_IN_OR_WITH: Final = """
python java javascript|js typescript golang rust ruby php perl kotlin swift scala haskell bash powershell sql
matlab excel photoshop json xml yaml csv html css latex windows linux macos|mac ubuntu debian android
iphone|ios ipad mysql postgres|postgresql mongodb sqlite redis react angular django flask rails numpy pandas
english french german spanish italian portuguese dutch russian chinese|mandarin japanese korean arabic
monday tuesday wednesday thursday friday saturday sunday
january february april june july august september october november december
"""
_USING: Final = listed("in on with using for during")


def _lines(text: str) -> list[str]:
    """Its lines, each with the one that continues it."""
    return text.replace("\n    |", " |").strip().splitlines()


def _read_kinds() -> Iterator[_Kind]:
    for line in _lines(_ANYWHERE):
        narrowing, _, standing = line.partition("|")
        yield _Kind(listed(narrowing), listed(f"{narrowing} {standing}"))
    for line in _lines(_BEHIND):
        behind, _, rest = line.partition(": ")
        narrowing, _, standing = rest.partition("|")
        yield _Kind(listed(narrowing), listed(f"{narrowing} {standing}"), frozenset(behind.split("/")))
    for names in _IN_OR_WITH.split():
        same = frozenset(names.split("|"))
        yield _Kind(same, same, _USING)


def _by_word(kinds: Iterable[_Kind]) -> Mapping[str, tuple[_Kind, ...]]:
    found: dict[str, tuple[_Kind, ...]] = {}
    for kind in kinds:
        for word in kind.narrowing:
            found[word] = (*found.get(word, ()), kind)
    return found


_KINDS: Final = _by_word(_read_kinds())

# ── words that narrow in some places only ─────────────────────────────────────────────────────

_OWNERS: Final = listed("my your our his her their its one ones")
_SELVES: Final = listed("myself yourself oneself himself herself themselves ourselves")
#: Behind these "alone" says how somebody is, not how to do something.
_BEING: Final = listed("am is are be being been was were feel feeling felt left leave leaving let home not")
_ALONE: Final = _Kind(frozenset(), _SELVES | listed("own alone self independently without home"))
#: "fast" beside a noun is another word ("fast food"), and behind one of these it is what is asked.
_MEASURES: Final = listed("how so too as this that very")
_FAST: Final = _Kind(
    frozenset(),
    listed("fast quickly rapidly rapid quick quickest fastest faster asap soon speed short overnight"),
)
#: Before or behind these "free" says nothing of a price.
_BEFORE_FREE: Final = listed("feel set be become break get")
_BEHIND_FREE: Final = listed("time will speech market trade fall energy radical radicals world")
#: What "free" may stand behind and still belong to what follows: not "gluten free bread".
_PRAISE: Final = FUNCTION_WORDS | listed("best good great top new online nice popular useful")
_GRATIS: Final = _Kind(frozenset(), listed("free gratis cost charge paying pay paid money"))
#: What is worse when it is major; of other things those are the chief ones.
_GRAVE: Final = listed("depression depressive surgery injury injuries illness stroke burns bleeding")
_MAJOR: Final = _Kind(frozenset(), listed("major serious severe clinical"))
#: Elsewhere ("can it be taken safely") to be safe is what is asked.
_SAFELY: Final = _Kind(frozenset(), listed("safely safe safer safest safety risk risks danger secure"))


def _narrows_own(words: Sequence[str], at: int) -> bool:
    """On my own."""
    return words[max(0, at - 2)] == "on" and words[at - 1] in _OWNERS


def _narrows_self(words: Sequence[str], at: int) -> bool:
    return at > 0 and words[at - 1] == "by"


def _narrows_alone(words: Sequence[str], at: int) -> bool:
    return at + 1 == len(words) and at > 1 and words[at - 1] not in _BEING


def _narrows_fast(words: Sequence[str], at: int) -> bool:
    ends = at + 1 == len(words) or words[at + 1] in FUNCTION_WORDS
    return ends and at > 1 and words[at - 1] not in _MEASURES


def _narrows_possible(words: Sequence[str], at: int) -> bool:
    """As soon as possible."""
    return at > 2 and words[at - 1] == words[at - 3] == "as" and words[at - 2] in _FAST.standing  # noqa: PLR2004


def _narrows_free(words: Sequence[str], at: int) -> bool:
    before, behind = words[at - 1] if at else "", words[at + 1] if at + 1 < len(words) else ""
    if before == "for" or tuple(words[at + 1 : at + 3]) == ("of", "charge"):
        return behind not in _BEHIND_FREE
    describes = behind != "" and behind not in FUNCTION_WORDS and behind not in _BEHIND_FREE
    return describes and before in _PRAISE and before not in _BEFORE_FREE


def _narrows_major(words: Sequence[str], at: int) -> bool:
    return at + 1 < len(words) and words[at + 1] in _GRAVE


def _narrows_safely(words: Sequence[str], _at: int) -> bool:
    return words[0] == "how"


#: The kind of such a word, and whether it narrows where it stands.
_SOMETIMES: Final[Mapping[str, tuple[_Kind, Callable[[Sequence[str], int], bool]]]] = {
    "own": (_ALONE, _narrows_own),
    **dict.fromkeys(_SELVES, (_ALONE, _narrows_self)),
    "alone": (_ALONE, _narrows_alone),
    "fast": (_FAST, _narrows_fast),
    "possible": (_FAST, _narrows_possible),
    "free": (_GRATIS, _narrows_free),
    "major": (_MAJOR, _narrows_major),
    "safely": (_SAFELY, _narrows_safely),
}


def same_breadth(cached: Question, asked: Question) -> str | None:
    """Say "narrower" when one question has what narrows it, and the other one nothing in its place."""
    shorter, longer = sorted((len(cached.words), len(asked.words)))
    if longer > WORDS_MAX or longer - shorter > MORE_WORDS_MAX:
        return None
    one, other = cached.once(_narrowed), asked.once(_narrowed)
    return "narrower" if _lacks(asked, one - other) or _lacks(cached, other - one) else None


def _lacks(question: Question, kinds: frozenset[_Kind]) -> bool:
    return any(kind.standing.isdisjoint(question.word_set) for kind in kinds)


def _narrowed(question: Question) -> frozenset[_Kind]:
    """How it is narrowed."""
    return frozenset(_find_kinds(question.words))


def _find_kinds(words: Sequence[str]) -> Iterator[_Kind]:
    for at, word in enumerate(words):
        for kind in _KINDS.get(word, ()):
            before = words[max(0, at - _BETWEEN_MAX - 1) : at]
            if not kind.behind or not kind.behind.isdisjoint(before):
                yield kind
        if word in _SOMETIMES:
            kind, narrows = _SOMETIMES[word]
            if narrows(words, at):
                yield kind
