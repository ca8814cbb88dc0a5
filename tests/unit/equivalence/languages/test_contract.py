"""What every known language keeps: no trap shares an answer, harmless variants do.

Adding a language is one data file in the package and one file of cases here, of the same name.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from router_extproc.equivalence import read_question
from router_extproc.equivalence.languages import ENGLISH, Languages, read_known

CASES = Path(__file__).parent / "cases"
#: A language with fewer is not shown to be known.
TRAPS_MIN, HARMLESS_MIN = 15, 8
LANGUAGES = Languages.of(read_known())
CODES = sorted(LANGUAGES.known)


def read_cases(code: str, section: str) -> list[tuple[str, str]]:
    return list(_pairs((CASES / f"{code}.txt").read_text(encoding="utf-8").splitlines(), f"[{section}]"))


def _pairs(lines: Sequence[str], section: str) -> Iterator[tuple[str, str]]:
    current = ""
    for line in filter(None, map(str.strip, lines)):
        if line.startswith("["):
            current = line
        elif current == section:
            one, other = line.split(" | ")
            yield one, other


def pairs_of(section: str) -> list[tuple[str, str, str]]:
    return [(code, *pair) for code in CODES for pair in read_cases(code, section)]


def shares(one: str, other: str) -> bool:
    matching = LANGUAGES.compare(read_question(one), read_question(other))
    assert matching is not None, "left to the rules of English"
    return matching.is_same


@pytest.mark.parametrize(("code", "one", "other"), pairs_of("traps"))
def test_no_trap_shares_an_answer(code: str, one: str, other: str) -> None:
    assert not shares(one, other)
    assert not shares(other, one)
    if one.lower() != other.lower():
        assert not shares(one.lower(), other.lower().rstrip("?？"))


@pytest.mark.parametrize(("code", "one", "other"), pairs_of("harmless"))
def test_harmless_variants_share_an_answer(code: str, one: str, other: str) -> None:
    assert LANGUAGES.read(one).code == LANGUAGES.read(other).code == code
    assert shares(one, other)
    assert shares(other, one)


@pytest.mark.parametrize("code", CODES)
def test_a_known_language_has_traps_and_variants(code: str) -> None:
    assert len(read_cases(code, "traps")) >= TRAPS_MIN
    assert len(read_cases(code, "harmless")) >= HARMLESS_MIN


@pytest.mark.parametrize(("code", "one", "other"), pairs_of("harmless"))
def test_a_language_that_is_not_listed_is_matched_exactly(code: str, one: str, other: str) -> None:
    listed = Languages.of(LANGUAGES.known.values(), {ENGLISH, *CODES} - {code})
    matching = listed.compare(read_question(one), read_question(other))
    assert matching is not None
    assert matching.is_same == shares_as_unlisted(one, other)


def shares_as_unlisted(one: str, other: str) -> bool:
    matching = Languages.of(()).compare(read_question(one), read_question(other))
    return matching is not None and matching.is_same
