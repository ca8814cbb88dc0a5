"""Guard: both questions are English, whose negations, opposites and numbers the other guards know.

Any other pair shares an answer only with the very same words; what else other languages may share is for
`equivalence.languages` to say. A row of keywords says little about its language: there every word in which
the two differ must be an English one.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from router_extproc.equivalence.words import FUNCTION_WORDS, Question, listed

ENGLISH: Final = "en"
#: Short words of English sentences, without those that are words of other languages, too (in, on, is, die).
_ENGLISH = listed(
    """
    about after all and any anyone are aren because been before being best between both can cannot
    could couldn describe did didn difference does doesn doing down each every everyone explain find
    for from give got hasn have haven having help here him his how if into isn it its just know like
    make many mean means more most much need never new not of off only other our out please really
    should shouldn some someone something such take tell than that the their them then there these
    they thing things think this those through too translate try up used using very wasn way we well
    were what when where whether which while who whom whose why with without won would wouldn write
    yes you your
    """
)
#: English, too, but of other languages as well: they count beside one of the words above.
_SHARED = listed(
    """
    a am an as at be but by do don get had has he her i in is let list me my no on one or over she
    so to under us use want was will
    """
)
#: Two of them that only English puts side by side: is a, in an.
_BEFORE_ARTICLE = listed("as at in is on")
#: Words that open a question in English alone; "is" does so where an article follows.
_OPENING = listed("can could did does have should were would")
_ARTICLES = frozenset({"a", "an"})
#: Share of the words of a sentence that are such words, at the least.
SHARE_MIN = 0.2
#: Letters that the forms of one word have in common: cancer and cancerous.
_SHARED_BEGINNING = 4


#: Content words of short questions that no other language in Latin letters has or borrows.
_KEYWORDS = listed(
    """
    advice alternatives answers apple awesome baking beach beginner beginners birthday bread
    breakfast breed breeds build building built business cake calories care cheap cheapest cheese
    chicken children cleaning clothes coding command compared comparison cons cooking countries
    course cream cure deadline debugging delete dictionary differences disease dog dogs drinking
    driving earth easiest easy english example examples exercises facts fastest flight flights food
    foods free friend friends function funny game games garden gifts grow growing guide hair
    headache health healthy heart history holiday holidays home homemade house houses ideas indoor
    jokes keyboard kids kitchen language languages laws learn learning length meals meaning merge
    movies names nearest network newest numbers oven password passwords people plants price prices
    printing programming pros questions quickly quotes recipe recipes recommendations recommended
    replace requirements reviews rice running safety school screen settings shoes shopping shortcut
    shortcuts shoulder side skills sleep songs sorting statistics steps stories strings student
    students study summer symptoms tea teacher things tools toppings travel treatment trees vacation
    topics dangerous guys happen happening happens harmful likely shorter taller unlikely
    vegetables vitamins weather wedding weekend weight wine words workout world worst writing years
    """
)
#: All that English tells itself by, or that no language like it has.
ENGLISH_TELLS: Final = _ENGLISH
ENGLISH_WORDS: Final = _ENGLISH | _SHARED | _KEYWORDS
_DIFFERING: Final = ENGLISH_WORDS | (FUNCTION_WORDS - listed("s m re ve d ll t o"))
#: Keywords that make a row of words English.
_KEYWORDS_MIN: Final = 1


def same_language(cached: Question, asked: Question) -> str | None:
    """Say "language" unless both are English, or the same words."""
    if cached.words == asked.words:
        return None
    one, other = cached.once(is_english), asked.once(is_english)
    if one and other:
        return None
    # "Is talc safe?" could be Dutch by itself; beside "Is talc a safe powder?" it is English.
    if (one and _is_made_of(asked, cached)) or (other and _is_made_of(cached, asked)):
        return None
    return None if _are_keywords(cached, asked) else "language"


def is_english(question: Question) -> bool:
    """True for an English sentence."""
    words = question.words
    if _opens_in_english(words):
        return True
    if _ENGLISH.isdisjoint(words) and not _has_article(words):
        return False
    known = sum(word in _ENGLISH or word in _SHARED for word in words)
    return known >= SHARE_MIN * len(words)


def _are_keywords(cached: Question, asked: Question) -> bool:
    """True when both are English sentences or rows of English keywords, and differ in English words only."""
    if not (cached.text.isascii() and asked.text.isascii()):
        return False
    differing = frozenset(cached.words) ^ frozenset(asked.words)
    return differing <= _DIFFERING and all(
        is_english(each) or len(_KEYWORDS.intersection(each.words)) >= _KEYWORDS_MIN
        for each in (cached, asked)
    )


def _opens_in_english(words: Sequence[str]) -> bool:
    first, rest = words[:1], words[1:]
    if not rest or not all(word.isascii() for word in words):
        return False
    return not _OPENING.isdisjoint(first) or (first == ("is",) and not _ARTICLES.isdisjoint(rest))


def _is_made_of(question: Question, english: Question) -> bool:
    """True when each of its words may be English, or stands in an English question in some form."""
    words = question.words[1:] if question.words[:1] == ("is",) else question.words
    return all(
        word in ENGLISH_WORDS or word in english.vocabulary or _begins(word, english) for word in words
    )


def _begins(word: str, english: Question) -> bool:
    beginning = word[:_SHARED_BEGINNING]
    return len(beginning) == _SHARED_BEGINNING and any(other.startswith(beginning) for other in english.words)


def _has_article(words: Sequence[str]) -> bool:
    return any(word in _BEFORE_ARTICLE and after in ("a", "an") for word, after in pairwise(words))
