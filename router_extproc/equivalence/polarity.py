"""Guard: negations and opposites.

A negated opposite ("not off") counts as different, too. "on" is never answered with the answer to "off",
nor "renewable" with that to "non-renewable".
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import combinations, pairwise

from router_extproc.equivalence.words import STEMS_KEPT, Question, listed, stem

_NEGATORS = listed(
    """
    not no never none nothing nobody nowhere neither nor without non lack lacks lacking absent minus hardly
    barely cannot unable impossible fail fails failed failing avoid prevent stop except excluding besides
    """
)
_WHY_NOT = {("or", "why", "not"), ("or", "if", "not")}
#: "I am not sure" says nothing of what is asked; behind "if" it does.
_BEFORE_REMARKS, _REMARKING, _REMARKED = (
    listed("but and so"),
    listed("am do did was"),
    listed("sure know certain"),
)
_PREFIXES = ("non", "un", "in", "im", "ir", "il", "dis", "mis", "anti", "counter", "de", "a", "ab")
_SHORTEST_BASE = 4
#: Words with an opposite, from the start of a question, whose order is looked at.
_TURNED_MAX = 8

_OPPOSITES = listed(
    """
    on/off up/down in/out into/out before/after with/without more/less more/fewer most/least better/worse
    best/worst good/bad high/low higher/lower highest/lowest increase/decrease increase/reduce
    increasing/decreasing raise/lower gain/lose add/remove add/delete add/subtract create/delete
    create/destroy insert/delete insert/remove enable/disable activate/deactivate allow/deny allow/block
    allow/forbid accept/reject accept/decline approve/reject install/uninstall start/stop start/end
    begin/end begin/finish first/last open/close lock/unlock mount/unmount encrypt/decrypt encode/decode
    compress/decompress zip/unzip connect/disconnect attach/detach import/export upload/download push/pull
    send/receive buy/sell lend/borrow give/take win/lose pass/fail succeed/fail success/failure love/hate
    like/dislike like/hate agree/disagree true/false right/wrong right/left correct/incorrect legal/illegal
    safe/dangerous safe/unsafe healthy/unhealthy positive/negative pro/con pros/cons advantage/disadvantage
    benefit/drawback benefit/risk benefit/harm strength/weakness asset/liability hot/cold warm/cool
    heat/cool wet/dry hard/soft hard/easy easy/difficult simple/complex simple/complicated fast/slow
    faster/slower quick/slow early/late earlier/later old/new old/young older/younger older/newer
    oldest/newest oldest/youngest ancient/modern past/future previous/next big/small bigger/smaller
    biggest/smallest large/small larger/smaller largest/smallest long/short longer/shorter longest/shortest
    tall/short taller/shorter wide/narrow thick/thin deep/shallow heavy/light strong/weak rich/poor
    cheap/expensive cheaper/expensive cheapest/expensive full/empty major/minor maximum/minimum
    maximize/minimize max/min upper/lower top/bottom front/back front/behind inside/outside indoor/outdoor
    internal/external north/south east/west above/below over/under ascending/descending horizontal/vertical
    clockwise/counterclockwise forward/backward forwards/backwards male/female man/woman men/women boy/girl
    husband/wife father/mother dad/mom son/daughter brother/sister king/queen uncle/aunt
    boyfriend/girlfriend public/private free/paid remote/local online/offline manual/automatic
    static/dynamic synchronous/asynchronous sync/async input/output read/write client/server
    frontend/backend debit/credit deposit/withdraw deposit/withdrawal income/expense profit/loss bull/bear
    inflation/deflation employer/employee teacher/student doctor/patient parent/child buyer/seller
    landlord/tenant lender/borrower winner/loser attack/defend war/peace life/death live/die alive/dead
    birth/death born/die day/night morning/evening summer/winter spring/autumn weekday/weekend
    sunrise/sunset cause/cure cause/prevent cause/effect cause/treat symptom/treatment symptom/cause
    absorb/emit attract/repel expand/contract expand/shrink freeze/melt freeze/boil melting/boiling
    rise/fall grow/shrink hire/fire inhale/exhale reward/punish save/spend save/waste sink/float wake/sleep
    build/destroy arrive/depart arrival/departure enter/exit login/logout signin/signout
    subscribe/unsubscribe follow/unfollow join/leave arrive/leave host/guest lead/follow victory/defeat
    majority/minority optimist/pessimist optimistic/pessimistic overweight/underweight prefix/suffix
    singular/plural acid/base proton/electron cation/anion vowel/consonant for/against lower/increase
    raise/reduce raise/decrease low/lower in/outside within/outside always/sometimes always/rarely
    always/never often/rarely all/some every/some completely/partially entirely/partially fully/partially
    completely/partly fully/partly grant/revoke tighten/loosen merge/split show/hide easiest/hardest
    mute/unmute expand/collapse speed/slow wake/sleep
    """
)


def _opposites() -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for pair in _OPPOSITES:
        one, other = (stem(word) for word in pair.split("/"))
        found.setdefault(one, set()).add(other)
        found.setdefault(other, set()).add(one)
    return {word: frozenset(others) for word, others in found.items()}


_OPPOSITES_OF = _opposites()
#: Of those the ones that say how or where, and not who: "seen by a doctor" and "a doctor sees" are the same.
_TURNING = frozenset(
    stem(word)
    for word in listed(
        """
        up down out on off left right hot cold warm cool high low higher lower more less fast slow early late
        day night morning evening summer winter big small bigger smaller long short easy hard old new good bad
        better worse best worst increase decrease reduce rise fall gain lose open close before after indoor
        outdoor with without upper
        """
    )
)


def same_polarity(cached: Question, asked: Question) -> str | None:
    """Say "negation" or "opposite" when one question turns the other around."""
    if _negations_beside(cached, asked) != _negations_beside(asked, cached) or _negated_words(cached, asked):
        return "negation"
    return "opposite" if _has_opposite(cached, asked) or _is_turned(cached, asked) else None


def _negations_beside(question: Question, other: Question) -> int:
    """Its negations, but for remarks on what the asker does not know, of which the other says nothing."""
    remarks = question.once(_remarks)
    return question.once(_negations) - sum(word not in other.vocabulary for word in remarks)


def _remarks(question: Question) -> tuple[str, ...]:
    """What the asker is not, or does not: "I'm not sure", "but I don't know"; in a clause of its own."""
    words = [token for token in question.tokens if token.kind == "word" and token.text not in _REMARKING]
    return tuple(
        stem(known.text)
        for before, i, negation, known in zip([None, *words], words, words[1:], words[2:], strict=False)
        if (i.text, negation.text) == ("i", "not")
        and (i.opens or (before is not None and before.text in _BEFORE_REMARKS))
        and known.text in _REMARKED
    )


def _negations(question: Question) -> int:
    words = question.words
    counted = sum(word in _NEGATORS for word in words)
    # "Is it legal or not, and why or why not?" asks what "is it legal, and why?" asks.
    left_open = sum(pair == ("or", "not") for pair in pairwise(words))
    left_open += sum(words[at : at + 3] in _WHY_NOT for at in range(len(words)) if words[at] == "or")
    return counted - left_open


def _negated_words(cached: Question, asked: Question) -> bool:
    """True when a word of one question stands in the other with a negating prefix or ending."""
    return _negates(cached, asked) or _negates(asked, cached)


def _negates(question: Question, other: Question) -> bool:
    return any(
        word not in other.vocabulary and base in other.vocabulary
        for word, base in question.once(_negated_bases)
    )


def _negated_bases(question: Question) -> tuple[tuple[str, str], ...]:
    """Words that may negate another one, each with that one, where the question does not have it, too."""
    words = question.vocabulary
    return tuple((word, base) for word in words for base in _bases(word) if base not in words)


@lru_cache(maxsize=STEMS_KEPT)
def _bases(word: str) -> tuple[str, ...]:
    """The words that this one negates by how it begins or ends."""
    return tuple(_find_bases(word))


def _find_bases(word: str) -> Iterator[str]:
    for prefix in _PREFIXES:
        base = word.removeprefix(prefix)
        if base != word and len(base) >= _SHORTEST_BASE:
            yield base
    if word.endswith("less"):
        yield f"{word.removesuffix('less')}ful"
    for ending in ("less", "fre"):
        base = word.removesuffix(ending)
        if base != word and len(base) >= _SHORTEST_BASE:
            yield base


def _poles(question: Question) -> frozenset[str]:
    """The stems that have an opposite; "of all time" does not say all of anything."""
    words = [*question.words, ""]
    return frozenset(
        stemmed
        for place, stemmed in enumerate(question.stems)
        if stemmed in _OPPOSITES_OF and not (words[place] == "all" and words[place + 1] == "time")
    )


def _is_turned(cached: Question, asked: Question) -> bool:
    """True when opposites that both have stand in another order: "pain upstairs but not downstairs".

    Side by side they only name a choice: "hot or cold".
    """
    shared = cached.once(_poles) & asked.once(_poles) & _TURNING
    if len(shared) <= 1:
        return False
    one, other = ([word for word in question.stems if word in shared] for question in (cached, asked))
    turned = (
        (first, second)
        for first, second in combinations(dict.fromkeys(one[:_TURNED_MAX]), 2)
        if second in _OPPOSITES_OF[first] and other.index(second) < other.index(first)
    )
    return any(not (_is_choice(cached, pair) or _is_choice(asked, pair)) for pair in turned)


def _is_choice(question: Question, pair: tuple[str, str]) -> bool:
    start, end = sorted(question.stems.index(word) for word in pair)
    return question.words[start + 1 : end] in {("or",), ("and",), ("versus",), ("vs",), ("to",), ()}


def _has_opposite(cached: Question, asked: Question) -> bool:
    one, other = cached.once(_poles), asked.once(_poles)
    # A word that both have is no difference: "increase or decrease" against "decrease or increase".
    only_one, only_other = one - other, other - one
    return any(_OPPOSITES_OF[word] & only_other for word in only_one)
