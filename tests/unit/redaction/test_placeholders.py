"""What a placeholder looks like, and which value has which."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.errors import RequestTooLarge
from router_extproc.redaction.placeholders import (
    PLACEHOLDER_CHARS_MAX,
    PLACEHOLDERS_MAX,
    Placeholder,
    PlaceholderForm,
    Placeholders,
)
from router_extproc.signals.pii.patterns import TYPES

FORM = PlaceholderForm.of(TYPES)


def found(text: str) -> list[str]:
    return [str(placeholder) for _, placeholder in FORM.find(text)]


@pytest.mark.parametrize(
    "written",
    [
        "[EMAIL_ADDRESS_1]",
        "[email_address_1]",
        r"[EMAIL\_ADDRESS\_1]",
        r"[EMAIL\\_ADDRESS\\_1]",
        "[Email Address 1]",
        "[EMAIL-ADDRESS-1]",
        "[ EMAIL_ADDRESS_1 ]",
        "[EMAIL_ADDRESS_01]",
    ],
)
def test_a_placeholder_is_known_however_a_model_spells_it(written: str) -> None:
    assert found(f"Write to {written}, please.") == ["[EMAIL_ADDRESS_1]"]


@pytest.mark.parametrize(
    "written",
    ["[EMAIL_ADDRESS]", "[EMAIL_1]", "EMAIL_ADDRESS_1", "[EMAIL_ADDRESS_12345678]", "[MAIL_ADDRESS_1]"],
)
def test_anything_else_is_none(written: str) -> None:
    assert found(written) == []


@pytest.mark.parametrize("text", ["xs[-1]", "[ 1]", "[_2]"])
def test_of_no_kinds_there_are_no_placeholders(text: str) -> None:
    form = PlaceholderForm.of(())
    assert list(form.find(text)) == []
    assert not form.may_begin(text[:-1])


def test_the_same_value_has_the_same_placeholder() -> None:
    placeholders = Placeholders(FORM)
    first, other = placeholders.of("EMAIL_ADDRESS", "a@b.de"), placeholders.of("EMAIL_ADDRESS", "c@d.de")
    assert (str(first), str(other)) == ("[EMAIL_ADDRESS_1]", "[EMAIL_ADDRESS_2]")
    assert placeholders.of("EMAIL_ADDRESS", "a@b.de") == first
    assert placeholders.value(other) == "c@d.de"


def test_each_kind_is_numbered_by_itself() -> None:
    placeholders = Placeholders(FORM)
    placeholders.of("EMAIL_ADDRESS", "a@b.de")
    assert str(placeholders.of("PHONE_NUMBER", "+49 30 1234567")) == "[PHONE_NUMBER_1]"


def test_a_number_that_the_client_wrote_is_skipped() -> None:
    taken = frozenset({Placeholder("EMAIL_ADDRESS", 1), Placeholder("EMAIL_ADDRESS", 2)})
    placeholders = Placeholders(FORM, taken)
    assert placeholders.of("EMAIL_ADDRESS", "a@b.de") == Placeholder("EMAIL_ADDRESS", 3)
    assert placeholders.value(Placeholder("EMAIL_ADDRESS", 1)) is None


def test_there_is_a_bound() -> None:
    placeholders = Placeholders(FORM)
    for number in range(PLACEHOLDERS_MAX):
        placeholders.of("EMAIL_ADDRESS", f"{number}@b.de")
    placeholders.of("EMAIL_ADDRESS", "1@b.de")
    with pytest.raises(RequestTooLarge):
        placeholders.of("EMAIL_ADDRESS", "one@more.de")


def test_values_are_in_no_representation() -> None:
    placeholders = Placeholders(FORM)
    placeholders.of("EMAIL_ADDRESS", "secret@b.de")
    assert "secret" not in repr(placeholders)


GAPS = st.sampled_from(["_", " ", "-", r"\_", r"\\_"])


@st.composite
def spellings(draw: st.DrawFn) -> str:
    words = draw(st.sampled_from(TYPES)).split("_")
    inside = "".join(word + draw(GAPS) for word in words) + str(draw(st.integers(0, 9_999_999)))
    inside = inside.lower() if draw(st.booleans()) else inside
    return f"[{draw(st.sampled_from(['', ' ']))}{inside}{draw(st.sampled_from(['', ' ']))}]"


@given(spellings())
def test_every_beginning_of_every_spelling_is_held_back(written: str) -> None:
    assert len(found(written)) == 1
    assert len(written) <= PLACEHOLDER_CHARS_MAX
    assert all(FORM.may_begin(written[:end]) for end in range(1, len(written)))


@pytest.mark.parametrize("text", ["[see", "[1", "[a]", "[EMAIL_ADDRESS_x", "[EMAILS"])
def test_other_brackets_are_not_held_back(text: str) -> None:
    assert not FORM.may_begin(text)
