"""Guard: both questions are in a language whose negations, opposites and numbers the other guards know.

Today that is English. A question in another language shares an answer only with the very same words: its
"not" is no word to the guards, and the verifier was trained on English pairs. What is no sentence, such as a
row of keywords, says too little to tell its language and is treated alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from router_extproc.equivalence.words import Question, listed

#: Short words of English sentences, without those that are words of other languages, too (in, on, is, die).
_ENGLISH = listed(
    """
    about after all and any anyone are aren because been before being best between both but by can cannot
    could couldn describe did didn difference do does doesn doing don down each every everyone explain find
    for from get give got had has hasn have haven having help her here him his how if into isn it its just
    know let like list make many mean means more most much my need never new not of off only other our out
    over please really should shouldn some someone something such take tell than that the their them then
    there these they thing things think this those through to too translate try under up use used using very
    want was wasn way we well were what when where whether which while who whom whose why will with without
    won would wouldn write yes you your
    """
)
#: English, too, but of other languages as well: they count beside one of the words above.
_SHARED = listed("a am an as at be he i in is me no on one or she so us")
#: Two of them that only English puts side by side: is a, in an.
_BEFORE_ARTICLE = listed("as at in is on")
#: Words that open a question in English alone; "is" does so where an article follows.
_OPENING = listed("can could did does has have should were would")
_ARTICLES = frozenset({"a", "an"})
#: Share of the words of a sentence that are such words, at the least.
SHARE_MIN = 0.2
#: Letters that the forms of one word have in common: cancer and cancerous.
_SHARED_BEGINNING = 4


def same_language(cached: Question, asked: Question) -> str | None:
    """Say "language" unless both are English, or the same words."""
    if cached.words == asked.words:
        return None
    one, other = is_english(cached), is_english(asked)
    if one and other:
        return None
    # "Is talc safe?" could be Dutch by itself; beside "Is talc a safe powder?" it is English.
    if (one and _is_made_of(asked, cached)) or (other and _is_made_of(cached, asked)):
        return None
    return "language"


def is_english(question: Question) -> bool:
    """True for an English sentence."""
    words = question.words
    if _opens_in_english(words):
        return True
    if _ENGLISH.isdisjoint(words) and not _has_article(words):
        return False
    known = sum(word in _ENGLISH or word in _SHARED for word in words)
    return known >= SHARE_MIN * len(words)


def _opens_in_english(words: Sequence[str]) -> bool:
    first, rest = words[:1], words[1:]
    if not rest or not all(word.isascii() for word in words):
        return False
    return not _OPENING.isdisjoint(first) or (first == ("is",) and not _ARTICLES.isdisjoint(rest))


def _is_made_of(question: Question, english: Question) -> bool:
    """True when each of its words is English by itself, or stands in an English question in some form."""
    words = question.words[1:] if question.words[:1] == ("is",) else question.words
    return all(word in _ENGLISH or word in english.vocabulary or _begins(word, english) for word in words)


def _begins(word: str, english: Question) -> bool:
    beginning = word[:_SHARED_BEGINNING]
    return len(beginning) == _SHARED_BEGINNING and any(other.startswith(beginning) for other in english.words)


def _has_article(words: Sequence[str]) -> bool:
    return any(word in _BEFORE_ARTICLE and after in ("a", "an") for word, after in pairwise(words))
