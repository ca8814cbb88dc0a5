"""Guard: names, and words of closed classes (languages, formats, weekdays, colours).

A name is what is written like one. A question about one country, product or programming language is
never answered with that about another.
"""

from __future__ import annotations

from router_extproc.equivalence.words import FUNCTION_WORDS, Question, Token, listed, stem

#: Words of one class exclude each other.
_VALUES = listed(
    """
    python java javascript typescript golang rust ruby php perl kotlin swift scala haskell bash
    powershell sql matlab
    cobol fortran lua julia c
    json xml yaml csv html css pdf toml markdown excel word powerpoint png jpg jpeg gif mp3 mp4 docx
    windows linux macos mac ubuntu debian android ios iphone ipad
    mysql postgres postgresql mongodb sqlite oracle redis
    react angular vue django flask spring rails
    english french german spanish italian portuguese dutch russian chinese mandarin japanese korean
    arabic hindi
    urdu tamil telugu bengali turkish polish greek latin hebrew swedish
    monday tuesday wednesday thursday friday saturday sunday
    january february march april june july august september october november december jan feb mar apr
    jun jul aug sep
    sept oct nov dec
    red orange yellow green blue purple violet pink brown black white gray grey
    north south east west northern southern eastern western
    spring summer autumn winter
    breakfast lunch dinner
    mercury venus earth mars jupiter saturn uranus neptune pluto moon sun
    dog cat horse cow bird fish rabbit
    beginner intermediate advanced
    today tomorrow yesterday tonight
    gmail yahoo hotmail outlook facebook instagram twitter whatsapp snapchat linkedin youtube tiktok
    quora google
    bing amazon flipkart ebay netflix uber paypal visa mastercard
    undergraduate bachelor master phd
    """
)
_SHARED_BEGINNING = 4
_ASCII_MAX = 0x24F  # the last Latin letter with a place of its own

_NOT_NAMES = frozenset({"i", "ok", "faq", "llm", "ai"})


def same_names(cached: Question, asked: Question) -> str | None:
    """Say "names", "values" or "script" when these differ."""
    if cached.once(_values) != asked.once(_values):
        return "values"
    if cached.once(_foreign) != asked.once(_foreign):
        return "script"
    if _unmatched(cached, asked) or _unmatched(asked, cached):
        return "names"
    return None


def _values(question: Question) -> frozenset[str]:
    return _VALUES.intersection(question.words)


def _foreign(question: Question) -> list[str]:
    """Words in scripts that the encoder hardly reads, as they stand."""
    return [word for word in question.words if any(ord(letter) > _ASCII_MAX for letter in word)]


def _unmatched(question: Question, other: Question) -> bool:
    return any(not _is_in(name, other) for name in question.once(_names))


def _names(question: Question) -> list[str]:
    # In a title every word counts as a name: it then only matches a question with the same words.
    words = (token for token in question.tokens if token.kind == "word")
    return [token.text for token in words if token.written[0].isupper() and _is_name(token)]


def _is_name(token: Token) -> bool:
    if token.text in _NOT_NAMES or token.text in FUNCTION_WORDS:
        # "US" and "IT" are names that look like function words.
        return token.written.isupper() and len(token.text) > 1 and token.text not in _NOT_NAMES
    return not token.opens or token.written.isupper()


def _is_in(name: str, other: Question) -> bool:
    root = stem(name)
    return any(
        root == word or (len(root) >= _SHARED_BEGINNING <= len(word) and _begins(root, word))
        for word in other.vocabulary
    )


def _begins(one: str, other: str) -> bool:
    # India and Indian, Spotify and Spotifys; not Austria and Australia.
    return one.startswith(other) or other.startswith(one)
