"""Guard: what is asked for (a reason, a way, a place, a yes) and how far it reaches (only, except).

"why" is never answered with the answer to "how", nor "all but X" with that to "X".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router_extproc.equivalence.words import FUNCTION_WORDS, Question, listed, stem

#: First match wins: phrases in the order of how much they say.
_ASKED: Mapping[str, tuple[str, ...]] = {
    "how many": ("how many", "number of", "count of"),
    "how much": ("how much", "price of", "cost of"),
    "how long": ("how long", "how much time", "duration of"),
    "how often": ("how often", "how frequently"),
    "how far": ("how far", "how old", "how tall", "how big", "how fast", "how deep", "how high"),
    "why": ("why", "how come", "reason", "reasons", "what causes", "what cause", "what makes"),
    "when": ("when", "what time", "what year", "what date", "which year", "what day"),
    "where": ("where", "which place", "what place", "which city", "which country"),
    "who": ("who", "whom", "whose", "which person"),
    "how": (
        "how",
        "best way",
        "ways",
        "way",
        "steps",
        "tips",
        "what should i do",
        "what do i do",
        "what can i do",
    ),
    "what": ("what", "which"),
}
_YES_NO = listed(
    """
    is are am was were do does did can could should would will has have had may might must
    """
)
_ORDERS = listed(
    """
    list explain define describe compare translate summarize summarise write convert calculate fix debug
    refactor optimize optimise prove solve generate rewrite classify extract draw plot implement
    """
)
#: "What is the way to" is "how do I"; an order ("explain X") asks what or how.
_INTERCHANGEABLE = ({"how", "what"}, {"how", None}, {"what", None})
#: Content words beside a question from which on they are something else.
MORE_WORDS_MIN = 3
#: So many words beside a question say on what condition, or of whom, it is asked.
NARROWING_WORDS_MAX = 2
#: Words that say of whom, or on what occasion.
_WHOM_OR_WHEN = listed(
    """
    adolescent adolescents adult adults after athletes babies baby before beginners boys breastfeeding child
    children diabetic diabetics during elderly girls infant infants kid kids men newborn newborns pregnancy
    pregnant senior seniors teen teenager teenagers teens toddler toddlers while women
    """
)
#: Words that say how far a question reaches, by what they mean.
_SCOPE = {
    "only": "only", "solely": "only", "exclusively": "only",
    "except": "except", "excluding": "except", "excludes": "except", "besides": "except", "apart": "except",
    "including": "including", "includes": "including", "include": "including",
    "least": "least", "most": "most", "exactly": "exactly", "approximately": "about",
    "always": "always", "sometimes": "sometimes", "rarely": "rarely",
    "unless": "unless", "until": "until",
    "first": "first", "last": "last", "next": "next",
    "current": "now", "currently": "now", "latest": "latest",
}  # fmt: skip


def same_asking(cached: Question, asked: Question) -> str | None:
    """Say "intent", "task", "scope" or "more" when these differ."""
    one, other = cached.once(_asked_for), asked.once(_asked_for)
    if one != other and {one, other} not in _INTERCHANGEABLE:
        return "intent"
    if cached.once(_orders) != asked.once(_orders):
        return "task"
    return same_extent(cached, asked) if cached.once(_scope) == asked.once(_scope) else "scope"


def same_extent(cached: Question, asked: Question) -> str | None:
    """Say "more" when one is the other, word for word, with something else before or behind it.

    What is put around somebody else's question to be taken for it: narrow enough to have the last word.
    """
    shorter, longer = sorted((cached, asked), key=lambda question: len(question.words))
    more = longer.content_set - shorter.content_set
    return "more" if len(more) >= MORE_WORDS_MIN and _stands_in(shorter, longer) else None


def differs_in_one_thing(cached: Question, asked: Question) -> bool:
    """True when a word or two more ("in children"), or one word for another, is all that tells them apart."""
    one, other = cached.once(_said), asked.once(_said)
    only_one, only_other = one - other, other - one
    if only_one and only_other:
        return len(only_one) == len(only_other) == 1
    return 0 < len(only_one | only_other) <= NARROWING_WORDS_MAX


def differs_in_whom_or_when(cached: Question, asked: Question) -> bool:
    """True when they differ in one thing, and only one of them says of whom or when ("in children")."""
    return not _WHOM_OR_WHEN.isdisjoint(cached.word_set ^ asked.word_set) and differs_in_one_thing(
        cached, asked
    )


def differs_at_one_place(cached: Question, asked: Question) -> bool:
    """True when one thing stands for another, or one question is the other with words put in at one place.

    Asked of two that differ in one thing: no other word need be alike where one stands for another.
    """
    if cached.once(_said) - asked.once(_said) and asked.once(_said) - cached.once(_said):
        return True
    shorter, longer = sorted((cached.words, asked.words), key=len)
    return _alike(shorter, longer) + _alike(shorter[::-1], longer[::-1]) >= len(shorter)


def _alike(one: Sequence[str], other: Sequence[str]) -> int:
    """How many words are the same from the beginning on."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (first, second) in pairs if first != second), min(len(one), len(other)))


def _said(question: Question) -> frozenset[str]:
    """The stems of all words that are not grammar, adverbs among them."""
    pairs = zip(question.words, question.stems, strict=True)
    return frozenset(stemmed for word, stemmed in pairs if word not in FUNCTION_WORDS)


def _stands_in(shorter: Question, longer: Question) -> bool:
    """True when the words of one stand in the other, one behind the other."""
    return bool(shorter.words) and shorter.once(_in_a_row) in longer.once(_in_a_row)


def _in_a_row(question: Question) -> str:
    return f" {' '.join(question.words)} "


def _asked_for(question: Question) -> str | None:
    text = question.once(_in_a_row)
    for kind, phrases in _ASKED.items():
        if any(f" {phrase} " in text for phrase in phrases):
            return kind
    return "yes-no" if question.words[:1] and question.words[0] in _YES_NO else None


def _orders(question: Question) -> set[str]:
    return {stem(word) for word in _ORDERS.intersection(question.words)}


def _scope(question: Question) -> set[str]:
    return {_SCOPE[word] for word in question.words if word in _SCOPE}
