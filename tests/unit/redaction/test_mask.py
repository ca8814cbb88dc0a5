"""Secrets that an answer gives away are masked, however the text is cut."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.dialects.base import TextForm
from router_extproc.redaction.mask import RUN_CHARS_MAX, SPACED_CHARS_MAX, Masker
from router_extproc.redaction.search import Search
from router_extproc.redaction.tally import AnswerTally
from router_extproc.signals.pii.patterns import TYPES

KEY = "sk-abcdefghijklmnopqrstuvwx"
CARD = "4111 1111 1111 1111"
SEARCH = Search(TYPES)


def masked(*pieces: str, known: tuple[str, ...] = (), form: TextForm = "text") -> str:
    masker = Masker(SEARCH, known, AnswerTally(), form)
    return "".join([masker.feed(piece) for piece in pieces]) + masker.finish()


def test_a_secret_becomes_three_stars() -> None:
    assert masked(f"The key is {KEY}, the card {CARD}.") == "The key is ***, the card ***."


def test_what_the_client_said_itself_is_not_masked() -> None:
    assert masked(f"{KEY} and jo@example.com", known=(KEY,)) == f"{KEY} and ***"


def test_every_cut_gives_the_same_text() -> None:
    text = (
        f"You asked for it: {KEY}. Then pay with {CARD} or DE89 3704 0044 0532 0130 00, or ring +49 30 901820"
        f" and write to jo@example.com about 10.0.0.7; in all it is 4711 and no more than that. {KEY}"
    )
    whole = masked(text)
    assert KEY not in whole
    assert "4711" in whole
    assert masked(*text) == whole
    for cut in range(len(text)):
        assert masked(text[:cut], text[cut:]) == whole


WORDS = st.sampled_from(
    [KEY, CARD, "jo@example.com", "call", "+49 30 901820", "4711", "version", "10.0.0.7", "and", ","]
)


@given(st.lists(WORDS, max_size=30), st.data())
def test_any_text_cut_anywhere_is_the_same(words: list[str], data: st.DataObject) -> None:
    text = " ".join(words)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert masked(*parts) == masked(text)


def test_a_private_key_is_masked_whole_in_a_stream() -> None:
    key = "-----BEGIN PRIVATE KEY-----\n" + "MIIEow+/abc\n" * 60 + "-----END PRIVATE KEY-----"
    text = (
        f"Here you are:\n{key}\nKeep it safe, and do not show it to anybody else in the whole wide world. "
        * 2
    )
    whole = masked(text)
    assert "MIIE" not in whole
    assert masked(*text) == whole


def test_what_is_held_back_is_bounded() -> None:
    masker = Masker(SEARCH, (), AnswerTally())
    passed = sum(len(masker.feed("x" * 100)) for _ in range(100))
    assert 100 * 100 - passed <= RUN_CHARS_MAX + 100
    masker = Masker(SEARCH, (), AnswerTally())
    passed = sum(len(masker.feed("word ")) for _ in range(100))
    assert 500 - passed <= SPACED_CHARS_MAX + 5


def test_masks_are_counted_by_kind() -> None:
    tally = AnswerTally()
    masker = Masker(SEARCH, (), tally)
    masker.feed(f"{KEY} {CARD}")
    masker.finish()
    assert tally.masked == {"API_KEY": 1, "CREDIT_CARD": 1}


ARGUMENTS = {
    "lines": f"x\njo@example.com\n{KEY}\t{CARD}",
    "quoted": f'say "{KEY}" \\ and \\{KEY} "',
    "card": 4111111111111111,
    "url": "http://user",
    "name": "x@example.com",
    "key": f"密钥{KEY}😀",
    "filler": "and so on, " * 30,
    "last": f"\n{KEY}",
}
MASKED = {
    **ARGUMENTS,
    "lines": "x\n***\n***\t***",
    "quoted": 'say "***" \\ and \\*** "',
    "card": "***",
    "name": "***",
    "key": "密钥***😀",
    "last": "\n***",
}


@pytest.mark.parametrize("ascii_only", [True, False])
@pytest.mark.parametrize("indent", [None, 1])
def test_arguments_of_calls_are_read_and_stay_json(ascii_only: bool, indent: int | None) -> None:  # noqa: FBT001
    text = json.dumps(ARGUMENTS, ensure_ascii=ascii_only, indent=indent)
    whole = masked(text, form="json")
    assert json.loads(whole) == MASKED
    assert masked(*text, form="json") == whole
    for cut in range(len(text)):
        assert masked(text[:cut], text[cut:], form="json") == whole


def test_what_the_client_said_itself_is_known_in_arguments_of_calls() -> None:
    text = json.dumps({"to": "x\njo@example.com", "key": KEY})
    assert json.loads(masked(text, known=("jo@example.com",), form="json")) == {
        "to": "x\njo@example.com",
        "key": "***",
    }
