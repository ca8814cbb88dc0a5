"""Makes hard negatives: questions that look like a given one and want another answer.

Every change returns None when the question gives it nothing to change, and never returns the question
itself.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable

from router_extproc.training.text.word_sets import KINDS, NUMBER_WORDS, OPPOSITES, read_lines

#: One way to change what a question asks.
Change = Callable[[str, random.Random], str | None]


def kinds_of_words() -> dict[str, list[tuple[str, ...]]]:
    """For every word, the sets that it is in."""
    table: dict[str, list[tuple[str, ...]]] = {}
    for words in KINDS.values():
        for word in words:
            table.setdefault(word, []).append(words)
    return table


SAME_KIND = kinds_of_words()

OPPOSITE_PATTERN = re.compile(
    r"\b(" + "|".join(re.escape(word) for word in sorted(OPPOSITES, key=len, reverse=True)) + r")\b",
    re.IGNORECASE,
)
#: Share of numbers that grow by a digit instead of changing one.
LONGER_SHARE = 0.25
NUMBER = re.compile(r"(?<![\w.])\d+(?:[.,]\d+)*")
NUMBER_WORD = re.compile(r"\b(" + "|".join(NUMBER_WORDS[2:]) + r")\b", re.IGNORECASE)

#: Endings that narrow a question; {kind} is filled with a member of the kind.
SCOPES = read_lines("scopes.txt")
#: Other questions about the same deed and the same thing.
HOW_ELSE = read_lines("how_else.txt")
WHAT_ELSE = read_lines("what_else.txt")
HOW = re.compile(
    r"^how (?:do|can|should|could|would|does|to)(?: (?:i|you|we|one|someone))? (?P<rest>[^?.]{4,90})\?*$",
    re.IGNORECASE,
)
WHAT = re.compile(r"^what(?:'s| is| are) (?P<rest>[^?.]{3,60})\?*$", re.IGNORECASE)
#: Who or what stands on which side of these words matters.
ROLES = tuple(
    re.compile(
        rf"\b(?P<lead>{lead}) (?P<first>[\w-]+) (?P<middle>{middle}) (?P<second>[\w-]+)", re.IGNORECASE
    )
    for lead, middle in (
        ("from", "to|into"),
        ("convert|translate|change|switch|migrate|turn|exchange|transform", "to|into|for"),
        ("is|are|was|were", r"(?:more |less )?\w+ than"),
        ("can|does|do|did|will|would", "causes?|beat|defeat|own|kill|eat|replace|invade|affect|use|contain"),
        ("prefer|choose|of|use", "over|instead of|rather than"),
    )
)
NEGATED = {
    "is": "isn't", "are": "aren't", "does": "doesn't", "do": "don't", "did": "didn't", "can": "can't",
    "should": "shouldn't", "will": "won't", "was": "wasn't", "were": "weren't", "would": "wouldn't",
    "has": "hasn't",
}  # fmt: skip
AUXILIARY = re.compile(r"\b(" + "|".join(NEGATED) + r")\b(?!n't)", re.IGNORECASE)


def like(model: str, word: str) -> str:
    """The word with the model's use of capitals."""
    if model.isupper() and len(model) > 1:
        return word.upper()
    return word.capitalize() if model[:1].isupper() else word


def replace_at(text: str, match: re.Match[str], word: str) -> str:
    """The text with the match replaced."""
    return text[: match.start()] + like(match.group(), word) + text[match.end() :]


def change_number(text: str, rng: random.Random) -> str | None:
    """Another number, in digits or in words."""
    found = [*NUMBER.finditer(text), *NUMBER_WORD.finditer(text)]
    if not found:
        return None
    match = rng.choice(found)
    return replace_at(text, match, other_number(match.group(), rng))


def other_number(number: str, rng: random.Random) -> str:
    """A number that is near in form and not the same."""
    if number.lower() in NUMBER_WORDS:
        return rng.choice([word for word in NUMBER_WORDS[2:] if word != number.lower()])
    place = rng.randrange(len(number))
    while not number[place].isdigit():
        place = rng.randrange(len(number))
    digit = rng.choice([digit for digit in "123456789" if digit != number[place]])
    if rng.random() < LONGER_SHARE and not number.startswith("0"):
        return f"{number}0"
    return number[:place] + digit + number[place + 1 :]


def change_kind(text: str, rng: random.Random) -> str | None:
    """Another member of the same kind: a country, an animal, a unit, a system."""
    found = [match for match in re.finditer(r"[A-Za-z]+", text) if match.group().lower() in SAME_KIND]
    if not found:
        return None
    match = rng.choice(found)
    old = match.group().lower()
    kind = rng.choice(SAME_KIND[old])
    return replace_at(text, match, rng.choice([word for word in kind if word != old]))


def flip_opposite(text: str, rng: random.Random) -> str | None:
    """One word becomes its opposite."""
    found = list(OPPOSITE_PATTERN.finditer(text))
    if not found:
        return None
    match = rng.choice(found)
    return replace_at(text, match, rng.choice(OPPOSITES[match.group().lower()]))


def negate(text: str, rng: random.Random) -> str | None:
    """The question about the contrary: an auxiliary or the verb is negated."""
    how = HOW.match(text)
    if how and rng.random() < 0.7:  # noqa: PLR2004 - a share
        start = how.start("rest")
        return f"{text[:start]}{rng.choice(('not', 'avoid having to', 'never'))} {text[start:]}"
    match = AUXILIARY.search(text)
    if match is None or not 0 < match.start() < 12:  # noqa: PLR2004 - "isn't it ..." asks what "is it ..." asks
        return None
    return replace_at(text, match, NEGATED[match.group().lower()])


def swap_roles(text: str, rng: random.Random) -> str | None:
    """Who does it and to whom change places."""
    for pattern in rng.sample(ROLES, len(ROLES)):
        match = pattern.search(text)
        if match and match["first"].lower() != match["second"].lower():
            swapped = f"{match['lead']} {match['second']} {match['middle']} {match['first']}"
            return text[: match.start()] + swapped + text[match.end() :]
    return None


def change_scope(text: str, rng: random.Random) -> str | None:
    """The same question narrowed to a case of its own."""
    ending = re.search(r"[?.!]*$", text)
    if ending is None or len(text.split()) > 20:  # noqa: PLR2004 - on long texts it is lost
        return None
    scope = re.sub(r"\{([^}]+)\}", lambda slot: rng.choice(KINDS[slot[1]]), rng.choice(SCOPES))
    return f"{text[: ending.start()]} {scope}{ending.group()}"


def ask_other(text: str, rng: random.Random) -> str | None:
    """The same subject, another question about it."""
    how, what = HOW.match(text), WHAT.match(text)
    if how:
        return rng.choice(HOW_ELSE).format(how["rest"].strip())
    if what and not what["rest"].lower().startswith(("the best", "some", "your")):
        return rng.choice(WHAT_ELSE).format(what["rest"].strip())
    return None


#: Every change with how often it is tried.
CHANGES: dict[Change, int] = {
    change_number: 5, change_kind: 5, flip_opposite: 5, negate: 2, swap_roles: 5, change_scope: 2,
    ask_other: 2,
}  # fmt: skip


def make_contrast(text: str, rng: random.Random) -> str | None:
    """The question changed in one way that matters, or None when no change fits."""
    changes = list(CHANGES)
    order = sorted(changes, key=lambda change: rng.random() ** (1 / CHANGES[change]), reverse=True)
    for change in order:
        changed = change(text, rng)
        if changed and changed.lower() != text.lower():
            return changed
    return None
