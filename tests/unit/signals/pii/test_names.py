"""Which of the names that the task layers found count."""

import pytest

from router_extproc.models.base import NameSpan
from router_extproc.signals.pii.names import LOWER_CASE_SCORE_MIN, NAME_SCORE_MIN, counted_names, join_spans
from router_extproc.signals.pii.patterns import Span, find_spans

#: Likely enough for a name with a capital letter, too little for one in lower case.
LIKELY = 0.99


def found(text: str, word: str, kind: str = "PERSON", score: float = LIKELY) -> NameSpan:
    """The name as the task layers would give it."""
    start = text.index(word)
    return NameSpan(start, start + len(word), kind, score)


def counts(text: str, *names: NameSpan) -> list[str]:
    """The names that count, as they are written."""
    kept = counted_names(text, names, find_spans(text), NAME_SCORE_MIN)
    return [text[name.start : name.end] for name in kept]


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("call toby on speaker", "toby", "PERSON"),
        ("hey vera turn the radio off", "vera", "PERSON"),
        ("play something by nina simone", "nina simone", "PERSON"),
        ("next bus to leeds", "leeds", "LOCATION"),
        ("is the flight to oslo late", "oslo", "LOCATION"),
        ("headlines of the daily mirror", "daily mirror", "ORGANIZATION"),
        ("I like jazz on Sundays", "jazz", "PERSON"),
        ("vacuum the hallway, please", "vacuum", "PERSON"),
        ("my bag was on flight xy123", "xy123", "STREET_ADDRESS"),
        ("you have done it correctly", "correctly", "LOCATION"),
    ],
)
def test_lower_case_word_of_a_command_is_no_name(text: str, word: str, kind: str) -> None:
    """Commands to an assistant are typed in lower case, and say little of anybody."""
    assert counts(text, found(text, word, kind)) == []


@pytest.mark.parametrize(
    ("text", "word", "kind"),
    [
        ("my name is toby", "toby", "PERSON"),
        ("hi, i'm vera and i need help", "vera", "PERSON"),
        ("her maiden name was lund", "lund", "PERSON"),
        ("she saw dr. okafor on monday", "okafor", "PERSON"),
        ("i live in leeds", "leeds", "LOCATION"),
        ("we moved here from oslo", "oslo", "LOCATION"),
        ("he was born in quito", "quito", "LOCATION"),
        ("they worked for acme", "acme", "ORGANIZATION"),
        ("sincerely,\ntoby lund", "toby lund", "PERSON"),
        ("name: toby lund", "toby lund", "PERSON"),
    ],
)
def test_lower_case_name_counts_when_the_text_says_whose_it_is(text: str, word: str, kind: str) -> None:
    """People who write of themselves do not use capitals in a chat."""
    assert counts(text, found(text, word, kind)) == [word]


@pytest.mark.parametrize("word", ["Toby", "TOBY", "東京", "محمد"])
def test_name_that_is_not_in_lower_case_counts_as_likely_as_it_is(word: str) -> None:
    """A capital letter is evidence; scripts without case have none to give."""
    text = f"call {word}"
    assert counts(text, found(text, word)) == [word]
    assert counts(text, found(text, word, score=NAME_SCORE_MIN - 0.01)) == []


def test_lower_case_name_counts_when_the_task_layers_are_nearly_certain() -> None:
    """Nothing else need support it then."""
    text = "remind me to ring toby"
    assert counts(text, found(text, "toby", score=LOWER_CASE_SCORE_MIN)) == ["toby"]


def test_lower_case_name_counts_beside_a_fact_of_fixed_form() -> None:
    """A name next to a mail address is somebody's."""
    text = "toby lund, toby@example.org"
    assert counts(text, found(text, "toby lund")) == ["toby lund"]


def test_lower_case_name_counts_beside_a_street_with_its_number() -> None:
    """A letter head in lower case."""
    text = "toby lund\n12 mill lane"
    street = found(text, "12 mill lane", "STREET_ADDRESS")
    assert counts(text, found(text, "toby lund"), street) == ["toby lund", "12 mill lane"]


def test_find_by_form_keeps_its_characters() -> None:
    """One place in a text is one find."""
    span = Span(5, 20, "EMAIL_ADDRESS")
    assert join_spans([span], [NameSpan(5, 9, "PERSON", 1.0), NameSpan(0, 4, "PERSON", 1.0)]) == [
        Span(0, 4, "PERSON"),
        span,
    ]
