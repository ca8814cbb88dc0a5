"""Values are put back for placeholders, however the text is cut."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.redaction.placeholders import Placeholder, PlaceholderForm, Placeholders
from router_extproc.redaction.restore import Restorer, inside_json
from router_extproc.redaction.tally import AnswerTally

MAIL, PHONE = "jo@example.com", '+49 "30" 1'


def known() -> Placeholders:
    form = PlaceholderForm.of(["EMAIL_ADDRESS", "PHONE_NUMBER"])
    placeholders = Placeholders(form, frozenset({Placeholder("EMAIL_ADDRESS", 5)}))
    placeholders.of("EMAIL_ADDRESS", MAIL)
    placeholders.of("PHONE_NUMBER", PHONE)
    return placeholders


def restored(*pieces: str) -> str:
    restorer = Restorer(known(), AnswerTally())
    return "".join([restorer.feed(piece) for piece in pieces]) + restorer.finish()


def test_a_value_is_put_back() -> None:
    assert restored("Write to [EMAIL_ADDRESS_1].") == f"Write to {MAIL}."


def test_every_cut_gives_the_same_text() -> None:
    text = (
        r"[[EMAIL_ADDRESS_1]](mailto:[email\_address\_1]) [PHONE NUMBER 1] [EMAIL_ADDRESS_7] [a] [EMAIL_ADD"
    )
    whole = restored(text)
    assert whole == f"[{MAIL}](mailto:{MAIL}) {PHONE} [EMAIL_ADDRESS_7] [a] [EMAIL_ADD"
    assert restored(*text) == whole
    for cut in range(len(text)):
        assert restored(text[:cut], text[cut:]) == whole


PIECES = st.lists(
    st.sampled_from(
        ["[", "]", "EMAIL", "_", "ADDRESS", "1", "2", " ", "\\", "[EMAIL_ADDRESS_1]", "phone_number", "x"]
    )
)


@given(PIECES, st.data())
def test_any_text_cut_anywhere_is_the_same(pieces: list[str], data: st.DataObject) -> None:
    text = "".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=6)))
    parts = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert restored(*parts) == restored(text)


def test_text_without_a_bracket_is_never_held_back() -> None:
    restorer = Restorer(known(), AnswerTally())
    assert restorer.feed("EMAIL_ADDRESS_1 and more") == "EMAIL_ADDRESS_1 and more"
    assert not restorer.holds


def test_only_what_may_become_a_placeholder_is_held_back() -> None:
    restorer = Restorer(known(), AnswerTally())
    assert restorer.feed("see [EMAIL_AD") == "see "
    assert restorer.feed("VICE]") == "[EMAIL_ADVICE]"


def test_a_placeholder_that_the_model_made_up_stays_and_is_counted() -> None:
    tally = AnswerTally()
    text = "[EMAIL_ADDRESS_9] [EMAIL_ADDRESS_5] [EMAIL_ADDRESS_1]"
    assert Restorer(known(), tally).feed(text) == f"[EMAIL_ADDRESS_9] [EMAIL_ADDRESS_5] {MAIL}"
    assert tally.invented == {"EMAIL_ADDRESS": 1}
    assert tally.restored == {"EMAIL_ADDRESS": 1}


@pytest.mark.parametrize("text", ['{"to": "[PHONE_NUMBER_1]"}'])
def test_inside_json_a_value_is_spelled_as_json(text: str) -> None:
    restorer = Restorer(known(), AnswerTally(), inside_json)
    assert restorer.feed(text) == r'{"to": "+49 \"30\" 1"}'


def test_a_value_that_looks_like_a_placeholder_is_not_replaced_again() -> None:
    placeholders = Placeholders(PlaceholderForm.of(["URL_CREDENTIALS", "EMAIL_ADDRESS"]))
    placeholders.of("URL_CREDENTIALS", "[EMAIL_ADDRESS_1]:x")
    placeholders.of("EMAIL_ADDRESS", MAIL)
    assert Restorer(placeholders, AnswerTally()).feed("[URL_CREDENTIALS_1]") == "[EMAIL_ADDRESS_1]:x"
