"""Makes hard positives: the same question in other words, manners and spelling.

Every rephrasing returns None when it does not fit, and none touches a number, a name or a negation.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from router_extproc.training.text.contrast import HOW, WHAT, replace_at
from router_extproc.training.text.word_sets import NUMBER_WORDS, SYNONYMS, read_lines

#: One way to say the same.
Rephrasing = Callable[[str, random.Random], str | None]

SYNONYM_PATTERN = re.compile(
    r"\b(" + "|".join(re.escape(word) for word in sorted(SYNONYMS, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)
SAME_HOW = read_lines("same_how.txt")
SAME_WHAT = read_lines("same_what.txt")
BEFORE = read_lines("before.txt")
AFTER = read_lines("after.txt")
#: Shares of manners that open with a greeting, and of those that close with thanks as well.
BEFORE_SHARE, AFTER_SHARE = 0.7, 0.3
CONTRACTIONS = (
    ("what is", "what's"), ("how is", "how's"), ("who is", "who's"), ("where is", "where's"), ("i am", "i'm"),
    ("do not", "don't"), ("cannot", "can't"), ("it is", "it's"), ("i have", "i've"), ("is not", "isn't"),
)  # fmt: skip
FRONTED = re.compile(
    r"^(?P<main>[^?]{12,}) (?P<place>(?:in|on|at|during) (?:the |a |my )?[\w-]+)\?$", re.IGNORECASE
)
SYMMETRIC = re.compile(r"\b(?P<lead>between|compare) (?P<first>[\w-]+) and (?P<second>[\w-]+)", re.IGNORECASE)


def reword_frame(text: str, rng: random.Random) -> str | None:
    """Another frame around the same matter: how do I, how can I, what is the way to."""
    how, what = HOW.match(text), WHAT.match(text)
    if how and re.match(r"how (?:do|can|to|could)\b(?: (?:i|you|we|one)\b)?", text, re.IGNORECASE):
        return rng.choice(SAME_HOW).format(how["rest"].strip())
    if what and re.match(r"what(?:'s| is)", text, re.IGNORECASE):
        return rng.choice(SAME_WHAT).format(what["rest"].strip())
    return None


def add_manners(text: str, rng: random.Random) -> str | None:
    """A greeting before, thanks behind, or both."""
    parts = [text]
    if polite := rng.random() < BEFORE_SHARE:
        parts.insert(0, rng.choice(BEFORE))
    if not polite or rng.random() < AFTER_SHARE:
        parts.append(rng.choice(AFTER))
    return " ".join(parts)


def change_case(text: str, rng: random.Random) -> str | None:
    """Lower or upper case throughout."""
    return text.upper() if rng.random() < 0.2 else text.lower()  # noqa: PLR2004 - a share


def drop_punctuation(text: str, rng: random.Random) -> str | None:
    """No question mark, or too many."""
    bare = text.rstrip("?.! ")
    return bare + rng.choice(("", "", "??", " ?", "?!", "."))


def use_synonym(text: str, rng: random.Random) -> str | None:
    """A word becomes another of the same meaning."""
    found = list(SYNONYM_PATTERN.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    return replace_at(text, match, rng.choice(SYNONYMS[match.group().lower()]))


def contract(text: str, rng: random.Random) -> str | None:
    """Short forms for long ones, or the other way."""
    for long, short in rng.sample(CONTRACTIONS, len(CONTRACTIONS)):
        for old, new in ((long, short), (short, long)):
            match = re.search(rf"\b{re.escape(old)}\b", text, re.IGNORECASE)
            if match:
                return replace_at(text, match, new)
    return None


def misspell(text: str, rng: random.Random) -> str | None:
    """Two letters inside a long word change places, or one is lost."""
    found = list(re.finditer(r"\b[a-z]{7,}\b", text))
    if not found:
        return None
    match = rng.choice(found)
    word, place = match.group(), rng.randrange(2, len(match.group()) - 2)
    swapped = word[:place] + word[place + 1] + word[place] + word[place + 2 :]
    return replace_at(text, match, rng.choice((swapped, word[:place] + word[place + 1 :])))


def spell_number(text: str, _: random.Random) -> str | None:
    """A small number in words becomes digits, or the other way; 1,000 becomes 1000."""
    match = re.search(r"(?<![\w.,])(\d{1,2})(?![\w.,%])", text)
    if match and int(match[1]) < len(NUMBER_WORDS):
        return replace_at(text, match, NUMBER_WORDS[int(match[1])])
    if match := re.search(r"\b(" + "|".join(NUMBER_WORDS[2:]) + r")\b", text, re.IGNORECASE):
        return replace_at(text, match, str(NUMBER_WORDS.index(match[1].lower())))
    match = re.search(r"\b\d{1,3},\d{3}\b", text)
    return replace_at(text, match, match.group().replace(",", "")) if match else None


def move_place(text: str, _: random.Random) -> str | None:
    """The place or time comes first."""
    match = FRONTED.match(text)
    if match is None:
        return None
    main, place = match["main"], match["place"]
    return f"{place[0].upper()}{place[1:]}, {main[0].lower()}{main[1:]}?"


def swap_equals(text: str, _: random.Random) -> str | None:
    """Two things that are compared change places; the answer stays."""
    match = SYMMETRIC.search(text)
    if match is None:
        return None
    return (
        f"{text[: match.start()]}{match['lead']} {match['second']} and {match['first']}{text[match.end() :]}"
    )


#: Every rephrasing with how often it is tried.
REPHRASINGS: dict[Rephrasing, int] = {
    reword_frame: 6, add_manners: 3, change_case: 1, drop_punctuation: 1, use_synonym: 6, contract: 2,
    misspell: 1, spell_number: 5, move_place: 4, swap_equals: 6,
}  # fmt: skip


def make_rephrasing(text: str, rng: random.Random, *, rounds: int = 2) -> str | None:
    """The question said in another way, up to `rounds` changes one after the other; None when none fits."""
    result = text
    for _ in range(rounds):
        result = rephrase_once(result, rng) or result
    return result if result != text else None


def rephrase_once(text: str, rng: random.Random) -> str | None:
    """The first rephrasing that fits, in random order weighted by REPHRASINGS."""
    ways = list(REPHRASINGS)
    for way in sorted(ways, key=lambda way: rng.random() ** (1 / REPHRASINGS[way]), reverse=True):
        if (said := way(text, rng)) and said != text:
            return said
    return None
