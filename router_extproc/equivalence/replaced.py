"""Guard: two questions that are equal but for one word, or for words that say nothing.

Encoder and net see that nearly everything is the same; the one word may be all that was asked about. So it
must be another form, another spelling or a synonym of the word that it stands for. Questions in other words
throughout are left to the net.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.equivalence.forms import plain_form
from router_extproc.equivalence.relations import are_exclusive
from router_extproc.equivalence.words import FUNCTION_WORDS, Question, listed, stem

#: Words around the place at least: else nothing says that both words play one part.
AROUND_MIN: Final = 1
#: They come and go without another meaning.
_FILLERS = listed("a an the please kindly my your our this these some any just really actually exactly")
#: Of them the ones that say nothing wherever they stand; "my" and "this" may be what is asked about.
_STRESSING = listed("a an the some any please kindly just really actually exactly basically")
#: Who asks is no matter; "he" and "she" are not among them.
_ANYBODY = listed("i you we one someone somebody anyone people person me us they them")
#: Each group means the same in nearly every question; a word may be in several.
_SYNONYMS = tuple(
    frozenset(stem(word) for word in group.split("/"))
    for group in listed(
        """
    purchase/buy order/buy start/begin/commence finish/end/complete stop/quit/cease fix/repair/mend/solve
    delete/remove/erase/rid get/obtain/gain/acquire/receive need/require choose/select/pick happen/occur
    help/assist/aid try/attempt improve/enhance/boost/better/increase raise/increase reduce/lower/decrease
    earn/make create/make/build/develop/generate/produce learn/study use/utilize/utilise/apply show/display
    find/locate discover/find search/look explain/describe/define change/modify/alter/edit/update
    become/be prepare/study deal/cope handle/manage avoid/prevent prevent/stop keep/stay/remain set/configure
    calculate/determine/compute/measure rotate/spin/turn tackle/address/solve love/like/want
    install/setup start/launch run/execute overcome/beat cure/heal treat/cure/remedy travel/visit/go
    live/reside work/function call/phone/ring speak/talk say/tell think/believe feel/think
    close/shut throw/toss vomit/puke
    fast/quick/rapid/quickly/rapidly/faster big/large/huge biggest/largest small/little/tiny smallest/littlest
    good/great/nice/best/better/top/ideal/greatest/effective best/easiest/simplest/quickest
    good/great/amazing/interesting/cool/awesome/fun/useful/helpful/brilliant/excellent/wonderful
    good/okay/viable/suitable/worth/nice great/excellent/ideal biggest/main/major/greatest
    best/favorite/favourite ok/good/fine/alright
    easy/simple/easiest/simplest hard/difficult/tough hardest/toughest important/significant/essential
    main/major/primary/key/chief/principal/salient famous/popular/known smart/intelligent/clever
    rich/wealthy sick/ill/unwell glad/happy angry/mad scared/afraid beautiful/pretty whole/entire/full
    correct/right/proper wrong/incorrect common/usual/typical/frequent normal/usual strange/weird/odd
    safe/okay/ok/fine/alright healthy/good cheap/inexpensive/affordable expensive/costly/pricey free/gratis
    different/various new/recent real/actual/true dangerous/risky/harmful/unsafe
    often/frequently usually/normally/generally almost/nearly about/regarding/concerning around/approximately
    also/too maybe/perhaps permanently/forever online/internet properly/correctly effectively/efficiently
    way/method/technique/approach/means/trick/step/tip tip/advice/suggestion/trick reason/cause
    kid/child/children mom/mum/mother dad/father baby/infant doctor/physician lawyer/attorney
    film/movie photo/picture/image/photograph tv/television phone/telephone/mobile/cellphone/smartphone
    car/automobile/auto/vehicle bike/bicycle plane/airplane/aeroplane/aircraft fridge/refrigerator
    computer/pc laptop/notebook app/application ad/advertisement/advert email/mail wifi/internet internet/web
    site/website/webpage/page program/software password/passcode error/mistake/bug/problem/issue
    problem/issue/trouble error/exception function/method folder/directory repo/repository db/database
    shop/store market/supermarket road/street house/home flat/apartment city/town country/nation
    company/firm/business job/work/career university/college/uni vacation/holiday
    trash/garbage/rubbish/waste autumn/fall sweater/jumper trousers/pants money/cash/income salary/pay/wage
    price/cost/fee fee/charge tax/taxes benefit/advantage/pro drawback/disadvantage/con
    difference/distinction similarity/resemblance difference/differ effect/affect/impact/consequence/influence
    meaning/definition purpose/use/goal/aim example/sample kind/type/sort part/component idea/concept
    topic/subject comprehension/understanding knowledge/skill skill/ability ache/pain sore/painful
    belly/stomach/tummy flu/influenza pill/tablet medicine/medication/drug
    weight/fat rise/increase usa/us/america/states
    person/people/human people/individual/human woman/lady guy/man boy/guy spouse/partner
    world/earth/globe universe/cosmos sofa/couch dinner/supper soda/pop candy/sweet
    toward/towards/to site/blog/website market/world follow/take overcome/control/handle/cope
    support/assistance/help get/find
    using/with via/through/with/by within/in inside/in during/in while/when until/till
    tyre/tire grey/gray cheque/check kerb/curb plough/plow mould/mold sulphur/sulfur moustache/mustache
    doughnut/donut pyjamas/pajamas draught/draft jewellery/jewelry fibre/fiber axe/ax cosy/cozy
    enquiry/inquiry manoeuvre/maneuver yoghurt/yogurt
    """
    )
)
_GROUPS_OF: Final[Mapping[str, tuple[int, ...]]] = {
    word: tuple(at for at, group in enumerate(_SYNONYMS) if word in group)
    for word in frozenset().union(*_SYNONYMS)
}
#: Grammar words that exclude each other in one place of two questions otherwise equal.
_EXCLUSIVE = tuple(
    listed(group)
    for group in (
        "who when where why what how",
        "who whose when where why which",
        "whom whose when where why which",
        "he she it they",
        "him her it them",
        "his her its their",
        "much little few",
        "all some none both each either neither",
        "and or but",
        "more most less least",
    )
)
#: Who it is, told by no more than this; others may be anybody.
_SOMEBODY = listed("he she him her")
_PERSONS = _ANYBODY | _SOMEBODY | listed("it")
#: What is his is not mine; whose else it is, is mostly no matter ("your dog", "the dog").
_THEIRS, _MINE = listed("his her their its"), listed("my our your")
#: One of these asks what "what" asks.
_ASKS_WHAT = listed("what which how")
#: What a question that opens with it asks: leave, advice, duty.
_LEAVE, _ADVICE, _DUTY = listed("can could may might"), listed("should shall ought would"), listed("must")
_MODALS = (_LEAVE, _ADVICE, _DUTY)
#: Behind "how" one of these asks what another one asks.
_ASKS_HOW = listed("do can could should would")
#: Two words that begin alike over this share of the longer one are forms of one word.
_ALIKE_SHARE, _ALIKE_LETTERS = 0.6, 4
#: Shorter words that differ by one letter are other words: contact, contract.
_TYPO_LETTERS_MIN = 8
#: Scripts from here on do not set spaces between words.
_UNSPACED = 0x0E00


@dataclass(frozen=True, slots=True)
class _Kept:
    """What counts of a question."""

    all_words: tuple[str, ...]
    #: Where the words that count stand among all of them.
    places: tuple[int, ...]
    words: tuple[str, ...]


def same_but_one(cached: Question, asked: Question) -> str | None:
    """Say "word" when the questions are equal but for one word, and that is another one."""
    one, other = cached.once(_kept), asked.once(_kept)
    start, end = _around(one.words, other.words)
    if start + end < AROUND_MIN:
        return None
    first, second = one.words[start : len(one.words) - end], other.words[start : len(other.words) - end]
    if len(first) + len(second) == 1:
        return "word" if _are_anothers(one, other, start) or _are_anothers(other, one, start) else None
    if not len(first) == len(second) == 1:
        return None  # a phrase may say the same in other words
    word, another = first[0], second[0]
    if any(ord(letter) >= _UNSPACED for letter in word + another):
        return None
    if _is_interchangeable(word, another, opens=start == 0) and not _is_other_relation(one, other, start):
        return None
    return "word"


def same_words(cached: Question, asked: Question) -> bool:
    """True when both are the same words in the same order but for articles, stress, forms and who asks."""
    one, other = cached.once(_unstressed), asked.once(_unstressed)
    if len(one) != len(other) or len(one) <= 1:
        return False
    asks_how = one[0] == "how" and {one[1], other[1]} <= _ASKS_HOW
    return all(
        _is_form(word, another) or {word, another} <= _ANYBODY or (asks_how and at == 1)
        for at, (word, another) in enumerate(zip(one, other, strict=True))
    )


def _unstressed(question: Question) -> tuple[str, ...]:
    return tuple(word for word in question.words if word not in _STRESSING)


def _kept(question: Question) -> _Kept:
    places = tuple(place for place, word in enumerate(question.words) if word not in _FILLERS)
    return _Kept(question.words, places, tuple(question.words[place] for place in places))


def _are_anothers(one: _Kept, other: _Kept, at: int) -> bool:
    """True when something is his in `one` and mine in `other`."""
    if at >= len(one.words) or one.words[at] not in _THEIRS:
        return False
    start = other.places[at - 1] + 1 if at else 0
    end = other.places[at] if at < len(other.places) else len(other.all_words)
    return not _MINE.isdisjoint(other.all_words[start:end])


def _is_other_relation(one: _Kept, other: _Kept, at: int) -> bool:
    """True when their words there are prepositions that exclude each other where they stand."""
    word, another = one.words[at], other.words[at]
    return word in FUNCTION_WORDS and all(
        are_exclusive(word, another, kept.all_words[: kept.places[at]], kept.all_words[kept.places[at] + 1 :])
        for kept in (one, other)
    )


def _around(one: Sequence[str], other: Sequence[str]) -> tuple[int, int]:
    """How many words are the same at the beginning, and of the others at the end."""
    shorter = min(len(one), len(other))
    start = 0
    while start < shorter and _is_form(one[start], other[start]):
        start += 1
    end = 0
    while end < shorter - start and _is_form(one[-1 - end], other[-1 - end]):
        end += 1
    return start, end


def _is_form(one: str, other: str) -> bool:
    return one == other or plain_form(one) == plain_form(other)


def _is_interchangeable(one: str, other: str, *, opens: bool) -> bool:
    """True when one may stand for the other in a question."""
    if {one, other} <= _PERSONS and not _SOMEBODY.isdisjoint({one, other}):
        return False
    if {one, other} <= _ANYBODY or {one, other} <= _ASKS_WHAT or _is_synonym(one, other):
        return True
    if one not in FUNCTION_WORDS or other not in FUNCTION_WORDS:
        return False
    if opens and any(one in group for group in _MODALS) and any(other in group for group in _MODALS):
        return any({one, other} <= group for group in _MODALS)
    return not any({one, other} <= group for group in _EXCLUSIVE)


def _is_synonym(one: str, other: str) -> bool:
    first, second = plain_form(one), plain_form(other)
    if not frozenset(_GROUPS_OF.get(first, ())).isdisjoint(_GROUPS_OF.get(second, ())):
        return True
    return _spelling(first) == _spelling(second) or _begin_alike(first, second) or _is_typo(first, second)


def _begin_alike(one: str, other: str) -> bool:
    alike = 0
    for letter, another in zip(one, other, strict=False):
        if letter != another:
            break
        alike += 1
    return alike >= _ALIKE_LETTERS and alike >= _ALIKE_SHARE * max(len(one), len(other))


#: British and American spelling, each as one of them.
_SPELLINGS = (
    ("our", "or"),
    ("ys", "yz"),
    ("is", "iz"),
    ("ae", "e"),
    ("oe", "e"),
    ("ogu", "og"),
    ("tr", "ter"),
)


def _spelling(word: str) -> str:
    """The word with doubled letters once, and in one of both spellings."""
    single = "".join(letter for letter, before in zip(word, f" {word}", strict=False) if letter != before)
    for british, american in _SPELLINGS:
        single = single.replace(british, american)
    return single


def _is_typo(one: str, other: str) -> bool:
    """True when long words differ by one letter, or by two that changed places."""
    shorter, longer = sorted((one, other), key=len)
    if len(shorter) < _TYPO_LETTERS_MIN or len(longer) - len(shorter) > 1:
        return False
    at = next(
        (place for place, pair in enumerate(zip(shorter, longer, strict=False)) if len({*pair}) > 1), None
    )
    if at is None:
        return True
    if len(shorter) < len(longer):
        return shorter[at:] == longer[at + 1 :]
    swapped = shorter[at : at + 2] == longer[at : at + 2][::-1] and shorter[at + 2 :] == longer[at + 2 :]
    return swapped or shorter[at + 1 :] == longer[at + 1 :]
