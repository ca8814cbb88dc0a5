"""Facts in whole texts, however long."""

from __future__ import annotations

from router_extproc.redaction.search import WINDOW_CHARS, Search, run_now
from router_extproc.signals.pii.patterns import TYPES, find_in_part

MAIL = "jo.doe@example.com"
CARD = "4111 1111 1111 1111"


def found(text: str, *kinds: str) -> list[str]:
    return [text[span.start : span.end] for span in Search(kinds or TYPES).now(text)]


def test_only_wanted_kinds_are_found() -> None:
    text = f"{MAIL} pays with {CARD}"
    assert found(text, "EMAIL_ADDRESS") == [MAIL]
    assert found(text, "CREDIT_CARD") == [CARD]


def test_a_surer_kind_keeps_its_characters() -> None:
    """A card number is not redacted as a phone number only because phone numbers alone are wanted."""
    assert found(f"call me, card {CARD}", "PHONE_NUMBER") == []


def test_what_is_in_the_middle_of_a_long_text_is_found() -> None:
    text = "word " * 20_000 + MAIL + " word" * 20_000
    assert found(text) == [MAIL]


def test_a_fact_across_the_border_of_two_windows_is_found_whole() -> None:
    for cut in range(len(MAIL) + 1):
        text = "x " * ((WINDOW_CHARS - cut) // 2) + (" " if cut % 2 else "") + MAIL + " and so on"
        assert found(text) == [MAIL]


def test_every_one_of_many_is_found() -> None:
    mails = [f"user{number}@example.com" for number in range(500)]
    assert found(" ".join(mails)) == mails


def test_short_texts_give_what_the_signal_finds() -> None:
    text = f"{MAIL}, {CARD}, +49 30 901820, ssn 123-45-6789, 10.0.0.7, DE89 3704 0044 0532 0130 00"
    assert Search(TYPES).now(text) == find_in_part(text)


def test_a_private_key_is_found_to_its_last_line() -> None:
    key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow+/=\nabc\n-----END RSA PRIVATE KEY-----"
    assert found(f"Here: {key} so.", "API_KEY") == [key]
    cut = "-----BEGIN PRIVATE KEY-----\nMIIEow\nabc"
    assert found(f"Here: {cut}", "API_KEY") == [cut]


def test_long_work_comes_in_steps() -> None:
    steps = Search(TYPES).spans(f"{MAIL} " + "1 " * WINDOW_CHARS)
    assert sum(1 for _ in steps) > 1
    assert run_now(Search(["EMAIL_ADDRESS"]).spans("no mail here")) == []
