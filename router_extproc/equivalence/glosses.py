"""Abbreviations beside the words that they stand for: "blood urea nitrogen (BUN)" says one thing twice.

Who explains an abbreviation and who does not ask the same. Only what is provably an explanation is left out:
each letter is the first one of a word, in order, and no word is left over. Anything else in brackets ("(in
children)", another name) stays, and is compared.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

#: Letters of an abbreviation; a plural "s" comes on top.
LETTERS_MIN: Final = 2
LETTERS_MAX: Final = 8
#: Words that an abbreviation may pass over, and how many words it may stand for in all.
_PASSED_OVER: Final = frozenset({"a", "and", "for", "in", "of", "on", "or", "the", "to", "with"})
_WORDS_MAX: Final = 2 * LETTERS_MAX
#: What stands in brackets, no longer than an abbreviation or its words; no bracket inside.
_BRACKETS: Final = re.compile(r"[(\[]([^()\[\]]{2,120})[)\]]")
_ABBREVIATION: Final = re.compile(r"([A-Z][A-Za-z]*[A-Z])(?:'?s)?")
#: At the end of what stands before the brackets.
_ABBREVIATION_BEFORE: Final = re.compile(r"(?<![\w'-])([A-Z][A-Za-z]{0,6}[A-Z])(?:'?s)? ?\Z")
_WORD: Final = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
#: Characters before a bracket in which its words are looked for.
_REACH_CHARS: Final = 160


def drop_glosses(text: str) -> str:
    """The text with the words of such an abbreviation only; unchanged when it has none."""
    if "(" not in text and "[" not in text:
        return text
    kept: list[str] = []
    end = 0
    for match in _BRACKETS.finditer(text):
        before = text[end : match.start()]
        kept.append(_without_gloss(before, match))
        end = match.end()
    return "".join([*kept, text[end:]])


def _without_gloss(before: str, match: re.Match[str]) -> str:
    """What stands before the brackets, and the brackets, without the half that repeats the other one."""
    near, inside = before[-_REACH_CHARS:], match[1].strip()
    abbreviation = _ABBREVIATION.fullmatch(inside)
    if abbreviation is not None and _ends_with(_words(near), abbreviation[1]):
        return before.rstrip()
    stands_before = _ABBREVIATION_BEFORE.search(near)
    if stands_before is not None and _spells(_words(inside), stands_before[1]):
        return before[: len(before) - len(stands_before[0])] + inside
    return before + match[0]


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


def _spells(words: Sequence[str], abbreviation: str) -> bool:
    """True when the abbreviation stands for these words, all of them."""
    return _read_back(words, abbreviation) == len(words) > 0


def _ends_with(words: Sequence[str], abbreviation: str) -> bool:
    """True when it stands for the last ones of these words."""
    return _read_back(words, abbreviation) > 0


def _read_back(words: Sequence[str], abbreviation: str) -> int:
    """For how many of the last words it stands; 0 for none."""
    letters = abbreviation.lower()
    if not LETTERS_MIN <= len(letters) <= LETTERS_MAX:
        return 0
    left = len(letters)
    for count, word in enumerate(reversed(words[-_WORDS_MAX:]), 1):
        if word[0] == letters[left - 1]:
            left -= 1
        elif word not in _PASSED_OVER:
            return 0
        if not left:
            return count
    return 0
