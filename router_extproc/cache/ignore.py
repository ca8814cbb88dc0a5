"""Parts of a system prompt that keys leave out, because they change every minute: a clock, a date, a counter.

An operator names them by patterns: regular expressions of a kind that takes a bounded time on any text. A
pattern is looked for in system prompts only, never in what a user or a model says.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from re import _constants as op  # type: ignore[attr-defined]  # the parser of `re`, which has no public name
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, Final, TypeAlias

from router_extproc.cache.digest import text

#: Characters of one pattern.
PATTERN_CHARS_MAX: Final = 200
#: Characters that one match may take.
MATCH_CHARS_MAX: Final = 200
#: Characters that one match may take, times the ways in which it may fit at one place of a text: a search
#: takes so many steps at each place, at most; more where fixed characters in front make such places rare.
STEPS_MAX: Final = 500
#: The beginning of a line is as rare as so many fixed characters.
_LINE_START_CHARS: Final = 10
#: Patterns of one decision.
PATTERNS_MAX: Final = 16
#: Longer system prompts count as they are: nothing of them is left out.
SYSTEM_CHARS_MAX: Final = 64 * 1024
#: Letters and digits in a row that make a fixed word.
WORD_CHARS_MIN: Final = 2

_Parsed: TypeAlias = Any  # a list of (operation, argument), as the parser of `re` makes it
_REPEATS: Final = frozenset({op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT})
_ONE_CHARACTER: Final = frozenset({op.LITERAL, op.NOT_LITERAL, op.IN, op.ANY})


class UnfitPattern(ValueError):
    """A pattern that may not be used; the message says why."""


@dataclass(frozen=True, slots=True)
class IgnoreRule:
    """What is left out of the keys of a decision's requests."""

    #: In the order written; each has passed `check_pattern`.
    patterns: tuple[str, ...] = ()

    def fields(self, system_texts: Sequence[str]) -> Iterator[bytes]:
        """Fields of a digest: each text in the pieces that are left of it."""
        for whole in system_texts:
            pieces = self._pieces(whole)
            yield b"%d" % len(pieces)
            yield from map(text, pieces)

    def count(self, system_texts: Sequence[str]) -> int:
        """How many parts of these texts are left out."""
        return sum(len(self._pieces(whole)) - 1 for whole in system_texts) if self.patterns else 0

    def _pieces(self, whole: str) -> list[str]:
        if not self.patterns or len(whole) > SYSTEM_CHARS_MAX:
            return [whole]
        pieces = [whole]
        for pattern in self.patterns:
            pieces = [part for piece in pieces for part in _parts(pattern, piece)]
        return pieces


NOTHING: Final = IgnoreRule()


def check_pattern(pattern: str) -> None:
    """Raise UnfitPattern unless the pattern is short, has an end, and holds on to something fixed."""
    if not pattern or len(pattern) > PATTERN_CHARS_MAX:
        raise UnfitPattern(f"must have 1 to {PATTERN_CHARS_MAX} characters")
    try:
        parsed = parser.parse(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise UnfitPattern(f"is not a regular expression: {error}") from None
    size = _size(parsed)
    if size.chars_min == 0:
        raise UnfitPattern("fits nothing at all, and so everywhere")
    if size.chars_max > MATCH_CHARS_MAX:
        raise UnfitPattern(f"may fit more than {MATCH_CHARS_MAX} characters; bound its repetitions")
    if size.ways * size.chars_max > STEPS_MAX * max(1, _fixed_in_front(parsed)):
        raise UnfitPattern("may fit in too many ways at one place; write fixed lengths, or a shorter pattern")
    if not size.fixed:
        raise UnfitPattern("must have a fixed character, or ^ or $: as it is, it fits into any text")


def _fixed_in_front(parsed: _Parsed) -> int:
    """How many fixed characters the pattern begins with."""
    count = 0
    for operation, argument in parsed:
        if operation is op.AT and argument is op.AT_BEGINNING:
            count += _LINE_START_CHARS
        elif operation is op.LITERAL:
            count += 1
        else:
            break
    return count


def has_fixed_words(pattern: str) -> bool:
    """Whether something fixed beside digits and signs tells where it may fit: a word, `^` or `$`."""
    return bool(re.search(rf"(?<!\\)[A-Za-z]{{{WORD_CHARS_MIN},}}", re.sub(r"\[[^]]*\]", "", pattern))) or (
        pattern.startswith("^") or (pattern.endswith("$") and not pattern.endswith(r"\$"))
    )


def _parts(pattern: str, whole: str) -> Iterator[str]:
    """What stands between the places where the pattern fits; `re` keeps what it has compiled."""
    start = 0
    for match in re.finditer(pattern, whole, re.MULTILINE):
        if not (_splits_word(whole, match.start()) or _splits_word(whole, match.end())):
            yield whole[start : match.start()]
            start = match.end()
    yield whole[start:]


def _splits_word(whole: str, place: int) -> bool:
    """The place is inside a word or a number: what ends or begins there is part of something longer."""
    return 0 < place < len(whole) and whole[place - 1].isalnum() and whole[place].isalnum()


# ── how much a pattern may cost ───────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Size:
    """What a part of a pattern may fit."""

    chars_min: int = 0
    chars_max: int = 0
    #: In how many ways, at one place, at most.
    ways: int = 1
    #: It has a character of its own, or the beginning or end of a line.
    fixed: bool = False

    def then(self, other: _Size) -> _Size:
        """This part, and another one after it."""
        return _Size(
            self.chars_min + other.chars_min,
            self.chars_max + other.chars_max,
            self.ways * other.ways,
            self.fixed or other.fixed,
        )


def _size(parsed: _Parsed) -> _Size:
    size = _Size()
    for operation, argument in parsed:
        size = size.then(_size_of(operation, argument))
        if size.ways > STEPS_MAX or size.chars_max > MATCH_CHARS_MAX:
            return size
    return size


def _size_of(operation: Any, argument: Any) -> _Size:  # Any: values of the parser
    if operation in _ONE_CHARACTER:
        return _Size(1, 1, fixed=operation is op.LITERAL)
    if operation is op.AT:
        return _Size(fixed=argument in {op.AT_BEGINNING, op.AT_END})
    if operation is op.SUBPATTERN:
        return _of_group(*argument)
    if operation is op.BRANCH:
        return _of_branches(argument[1])
    if operation in _REPEATS:
        return _repeated(*argument)
    raise UnfitPattern(
        "looks around or back; only characters, classes, groups and bounded repetitions may be"
    )


def _of_group(_number: Any, added: int, removed: int, inner: _Parsed) -> _Size:  # Any: the parser's, or None
    if added or removed:
        raise UnfitPattern("sets flags; write both cases as [Aa]")
    return _size(inner)


def _of_branches(branches: Sequence[_Parsed]) -> _Size:
    sizes = [_size(each) for each in branches]
    return _Size(
        min(size.chars_min for size in sizes),
        max(size.chars_max for size in sizes),
        1 if _exclude_each_other(branches) else sum(size.ways for size in sizes),
        all(size.fixed for size in sizes),
    )


def _exclude_each_other(branches: Sequence[_Parsed]) -> bool:
    """Whether only one of them fits at one place: fixed texts, none of which begins another."""
    if any(len(_literals(branch)) < len(branch) for branch in branches):
        return False
    words = sorted(map(_literals, branches))
    return all(longer[: len(word)] != word for word, longer in pairwise(words))


def _literals(branch: _Parsed) -> list[int]:
    return [code for operation, code in branch if operation is op.LITERAL]


def _repeated(least: Any, most: Any, inner: _Parsed) -> _Size:  # Any: the parser's own integers
    if most is op.MAXREPEAT or most > MATCH_CHARS_MAX:
        raise UnfitPattern(f"repeats without an end; write {{1,N}}, at most {MATCH_CHARS_MAX}")
    size = _size(inner)
    if size.ways > 1 and most > 1:
        raise UnfitPattern("repeats what may itself fit in several ways")
    fixed = size.fixed and least > 0
    return _Size(size.chars_min * least, size.chars_max * most, most - least + 1, fixed)
