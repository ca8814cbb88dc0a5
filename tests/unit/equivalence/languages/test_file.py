"""The reader of language files refuses what a slip of a translator would make dangerous."""

from __future__ import annotations

import pytest

from router_extproc.equivalence.languages import LanguageFileError, known_codes, read_known
from router_extproc.equivalence.languages.file import read_language

HEAD = "code: xx\nname: Example\nscript: latin\n"
LISTS = (
    "[negations]\nnicht kein\n[affixes]\nun- -los\n[opposites]\nan/aus\n[numbers]\n2 zwei\n"
    "[questions]\nwie wer\n"
)


def refusal(text: str) -> str:
    with pytest.raises(LanguageFileError) as caught:
        read_language(text, where="xx.txt")
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code: xx\nscript: latin\n", "xx.txt, line 1: has no 'name:'"),
        ("code: xx\nname: x\nscript: runes\n", "xx.txt, line 1: script must be one of latin,"),
        ("colour: red\n", "xx.txt, line 1: expected one of code, name,"),
        ("code: xx\ncode: yy\n", "xx.txt, line 2: 'code' stands there twice"),
        (HEAD + "[tels]\n", "xx.txt, line 4: unknown section [tels]; known are tells,"),
        (HEAD + "[tells]\n[tells]\n", "xx.txt, line 5: section [tells] stands there twice"),
        (HEAD + "[opposites]\nan\n", "xx.txt, line 5: 'an' is no pair: write one/other"),
        (HEAD + "[numbers]\ntwo\n", "xx.txt, line 5: expected digits and the words that mean them"),
        (HEAD + "[same starts]\nwie\n", "xx.txt, line 5: expected phrases with = between them"),
        (HEAD + "[openings]\n!!\n", "xx.txt, line 5: '!!' has no word"),
    ],
)
def test_a_break_of_the_format_is_named_with_its_line(text: str, expected: str) -> None:
    assert refusal(text).startswith(expected)


@pytest.mark.parametrize(
    ("section", "phrase", "word"),
    [
        ("openings", "nicht wahr", "nicht"),
        ("closings", "zwei bitte", "zwei"),
        ("anywhere", "unbedingt", "unbedingt"),
        ("anywhere", "sorglos", "sorglos"),
        ("openings", "mach an", "an"),
        ("closings", "3", "3"),
    ],
)
def test_what_turns_a_question_around_cannot_be_harmless(section: str, phrase: str, word: str) -> None:
    said = refusal(f"{HEAD}{LISTS}[{section}]\n{phrase}\n")
    assert said.endswith(f"'{phrase}' is not harmless: '{word}' changes what is asked")


@pytest.mark.parametrize("group", ["wie = wer", "wie kann = wie kann nicht", "wie an = wie aus"])
def test_a_group_asks_one_thing(group: str) -> None:
    assert refusal(f"{HEAD}{LISTS}[same starts]\n{group}\n").endswith("the phrases do not ask the same")


def test_an_idiom_may_hold_a_negation() -> None:
    language = read_language(f"{HEAD}{LISTS}[idioms]\nnicht wahr\n[closings]\nnicht wahr\n", where="xx.txt")
    assert language.closings.keys() == {"wahr"}


def test_comments_and_blank_lines_say_nothing() -> None:
    assert read_language(f"# Example\n\n{HEAD}[tells]  # words\na b # two\n", where="x").tells == {"a", "b"}


def test_every_file_of_the_package_is_named_after_its_language() -> None:
    assert known_codes() == ("en", *(language.code for language in read_known()))
    assert known_codes()[1:] == ("de", "es", "fr", "it", "ja", "ko", "nl", "pl", "pt", "ru", "sv", "tr", "zh")
