"""Guard: what encoder and verifier cannot see must be written the same: case, accents, symbols, quotes.

A capital that begins a sentence, a text wholly in lower or upper case, final punctuation, white space and
typographic marks are harmless. Everything else that folding destroys may be what a question is about.
"""

from __future__ import annotations

import re

from router_extproc.equivalence.chunks import WrittenWord
from router_extproc.equivalence.words import Question, listed
from router_extproc.equivalence.writing import CaseStyle, Writing

#: Abbreviations that are plain words in lower case.
_ABBREVIATIONS = listed(
    """
    act add ado ai aids am and arm as asap asp ass at bad bar bat bed bid bin bios bit bus cab cad cam can
    cap car cat chip cia co cod cop cot dad dam dare den dim doc dos dot ear echo ed eta fad fat fed fin fit
    flag form gap gas gel gem get go had has he hex hip his hit hot ice id idea imp in ion ira iris is it
    jam jar java lab lace lad lamp lap law led lens leo lid lie log mac mad man map mat may men met mia mid
    mime mit mob nat net new no nod none nor not now nut of off oh on one or ore our out owl own pa pal
    pan par past pat pen per pet pie pin pip pit pod pop pos pot pram pro pub pun put ra rag ram ran rap rat
    raw ray red rem rest rex rib rip rob rod rom rug rum run sad said sam sap sat saw say sea set she sim
    sip sit ski sky so sole son spa span spy star stem step sub sum sun tab tag tan tap tar tax tea ten the
    tip to toe top us use van vat via vip wan war was wasp we web wed who why win wit yes yet zip
    """
)
#: Names that are other things in lower case, of which one might ask the same. Products and languages that
#: everybody types in lower case (python, windows) are none of them.
_NAMES = listed(
    """
    amazon apple august bath bill boxer brazil canary catholic chad champagne chase chile china cologne colt
    cork cuba danish dell delta democrat discord dove drew earnest east elder express faith fiat ford frank
    galaxy gene ghost god grace grant guinea guy harry heather hooker hope hungary iris ivory jack jade
    jaguar jasmine jersey jet job jordan joy june kent lance laurel lent lily lima madeira march mark
    max may mercury mike mint mobile moles nice nick notion olive opera oracle orange pat patience pearl
    penny pepper phoenix pilot polish polo post prince reading republican robin rock rose rush scotch shell
    slack slim snowflake solid spark spring stone sue swallow swift swiss target teams thor tide turkey uber
    victor vista wales west will wolf wright zoom
    """
)
#: Units whose case is part of them: Mb is a megabit, MB a megabyte; mW and MW are nine powers of ten apart.
_UNITS = listed("mb gb kb tb pb mbps gbps kbps tbps mbit mbyte mw mv ma mhz pa ph nm mm ml cal")
#: From a number to another one.
_RANGE = re.compile(r"\d ?- ?(?=\d)")
#: Between words they are marks of prose or arguments of a command: "cd -", "cd .".
_ALONE = re.compile(r"(?<=\s)[-.](?=\s)")


def same_writing(cached: Question, asked: Question) -> str | None:
    """Say "quoted", "symbols", "accents" or "case" when these differ.

    Where both have the same words, nothing but the writing tells them apart, so every difference counts. In
    other words for the same, people write a capital where they like: there only what is another word counts.
    """
    one, other = cached.writing, asked.writing
    strict = cached.words == asked.words
    if _quotes_differ(one, other, strict=strict) or _mentions_differ(one, other):
        return "quoted"
    if one.symbols != other.symbols or (strict and _marks_differ(one, other)):
        return "symbols"
    first, second = cached.once(_by_folded), asked.once(_by_folded)
    # What stands alike in both differs in nothing.
    shared = [
        (folded, first[folded], second[folded])
        for folded in first.keys() & second.keys()
        if first[folded] != second[folded]
    ]
    if any(_accents(words) != _accents(others) for _, words, others in shared):
        return "accents"
    differs = _any_case if strict and one.style == other.style == "mixed" else _other_word
    return "case" if any(differs(word, one, other) for word in shared) else None


def is_same_text(cached: Question, asked: Question) -> bool:
    """True when both are the same words and numbers in the same order, and nothing that counts differs."""
    return cached.once(_texts) == asked.once(_texts) and same_writing(cached, asked) is None


def _texts(question: Question) -> tuple[str, ...]:
    return tuple(token.text for token in question.tokens)


def _marks_differ(one: Writing, other: Writing) -> bool:
    if one.text == other.text:
        return False
    if len(_RANGE.findall(one.text)) != len(_RANGE.findall(other.text)):
        return True
    alone, others = _ALONE.findall(one.text), _ALONE.findall(other.text)
    return bool(alone and others) and alone != others


#: Who asks so asks about a word itself.
_ABOUT_WORDS = listed(
    """
    adjective adverb alliteration anagram antonym conjugate conjugated conjugation consonant consonants
    hyphenated homonym homophone infinitive misspelled noun palindrome participle plural preposition
    pronoun rhyme rhymes singular spelled spelling spelt syllable syllables synonym verb vowel vowels
    """
)
#: They stand beside such a word, and are not it.
_BESIDE_MENTIONS = listed("a an the is are be word words term phrase does do please")


# ── quotes ────────────────────────────────────────────────────────────────────────────────────


def _quotes_differ(one: Writing, other: Writing, *, strict: bool) -> bool:
    both_tell = one.behind_colon is not None and other.behind_colon is not None
    if (strict or both_tell) and one.behind_colon != other.behind_colon:
        return True
    if strict or (one.quoted and other.quoted):
        return one.quoted != other.quoted
    return any(quoted not in other.text for quoted in one.quoted) or any(
        quoted not in one.text for quoted in other.quoted
    )


def _mentions_differ(one: Writing, other: Writing) -> bool:
    if one.mentioned and other.mentioned and _mentions(one, other) != _mentions(other, one):
        return True
    first, second = one.folded, other.folded
    # "Is level a palindrome?" is no question about levels: each form of a word is another word here.
    if _ABOUT_WORDS.isdisjoint(first) or _ABOUT_WORDS.isdisjoint(second):
        return False
    return bool((first ^ second) - _BESIDE_MENTIONS)


def _mentions(writing: Writing, other: Writing) -> list[str]:
    """What is talked about; without case where one of the texts is all in capitals: then they say nothing."""
    says_nothing = "upper" in {writing.style, other.style}
    return [word.casefold() if says_nothing else word for word in writing.mentioned]


# ── words ─────────────────────────────────────────────────────────────────────────────────────

#: A word of both texts: folded, and as it stands in each.
_Shared = tuple[str, list[WrittenWord], list[WrittenWord]]


def _by_folded(question: Question) -> dict[str, list[WrittenWord]]:
    found: dict[str, list[WrittenWord]] = {}
    for word in question.writing.words:
        found.setdefault(word.folded, []).append(word)
    return found


def _accents(words: list[WrittenWord]) -> set[str]:
    return {word.written.casefold() for word in words}


def _any_case(word: _Shared, _one: Writing, _other: Writing) -> bool:
    """Both texts use capitals as they should: then each says what it is."""
    folded, first, second = word
    one, other = _forms(first), _forms(second)
    if folded == "i":
        return len(one) == len(other) == len("iI") and _is_exchanged(first, second)
    if one and other:
        return one != other or _is_exchanged(first, second)
    # In one text the word only begins sentences: all but its first letter says what it is.
    return {each.written[1:] for each in first} != {each.written[1:] for each in second}


def _is_exchanged(first: list[WrittenWord], second: list[WrittenWord]) -> bool:
    """Both forms stand in both texts, in another order: "True and true", "true and True"."""
    pairs = zip(first, second, strict=False)
    return any(one.written != other.written and not (one.opens or other.opens) for one, other in pairs)


def _other_word(word: _Shared, one: Writing, other: Writing) -> bool:
    folded, first, second = word
    if folded == "i" or _forms(first) == _forms(second):
        return False
    return any(_is_other_word(folded, each, one.style, other.style) for each in first) or any(
        _is_other_word(folded, each, other.style, one.style) for each in second
    )


def _is_other_word(folded: str, word: WrittenWord, own: CaseStyle, other: CaseStyle) -> bool:
    """True when the other text, which writes it otherwise, might mean another word by it."""
    written = word.written
    if own == "upper":
        return False  # its capitals say nothing
    if folded in _UNITS or len(folded) == 1:
        return not word.opens and written != folded != "a"
    if len(written) > 1 and written.isupper():
        return folded in _ABBREVIATIONS and other != "upper"
    if folded not in _NAMES or word.opens or other == "upper":
        return False
    return written[0].isupper() if other != "title" else written == folded


def _forms(words: list[WrittenWord]) -> set[str]:
    """As it stands where its case says something."""
    return {
        word.written
        for word in words
        if not word.opens or any(letter.isupper() for letter in word.written[1:])
    }
