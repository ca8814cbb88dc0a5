"""Personal facts of fixed form are found where they are, and look-alikes are left alone."""

from __future__ import annotations

import time

import pytest

from router_extproc.signals.pii.patterns import EDGE_CHARS_MAX, Span, find_spans

#: Joined here so that no scanner of this repository takes them for real ones.
KEYS = (
    "sk-" + "a1B2" * 8,
    "sk_live_" + "a1B2" * 6,
    "ghp_" + "a1B2" * 9,
    "github_pat_" + "a1B2" * 8,
    "glpat-" + "a1B2" * 5,
    "AKIA" + "A1B2" * 4,
    "AIza" + "a1B2c" * 7,
    "xoxb-" + "1234567890-abc",
    "hf_" + "aBcD" * 9,
    "eyJ" + "a1B2" * 4 + ".eyJ" + "a1B2" * 4 + "." + "a1B2" * 4,
    "-----BEGIN " + "RSA PRIVATE KEY-----",
)


def found(text: str) -> list[tuple[str, str]]:
    return [(span.type, text[span.start : span.end]) for span in find_spans(text)]


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("EMAIL_ADDRESS", "Write to jo.doe+x@mail.example.org.", "jo.doe+x@mail.example.org"),
        ("EMAIL_ADDRESS", "An müller@straße.example, bitte", "müller@straße.example"),
        ("EMAIL_ADDRESS", "'jo@example.org'", "jo@example.org"),
        ("EMAIL_ADDRESS", "我的邮箱是jo@example.org请帮我写一封", "jo@example.org"),
        ("EMAIL_ADDRESS", "请写给jo@example.org" + "然后告诉他我们明天不能来" * 4, "jo@example.org"),
        ("EMAIL_ADDRESS", "メールはjo@example.orgです", "jo@example.org"),
        ("EMAIL_ADDRESS", "jo@example.org으로 보내", "jo@example.org"),
        ("EMAIL_ADDRESS", "写给 用户@例子.中国 谢谢", "用户@例子.中国"),
        ("EMAIL_ADDRESS", "写给 用户@example.org谢谢", "用户@example.org"),
        ("EMAIL_ADDRESS", "写给 jo@例子.中国 谢谢", "jo@例子.中国"),
        ("EMAIL_ADDRESS", "на иван@пример.рф.", "иван@пример.рф"),
        ("API_KEY", f"密钥是{KEYS[0]}请", KEYS[0]),
        ("PHONE_NUMBER", "my number is +44 20 7946 0958, ok?", "+44 20 7946 0958"),
        ("PHONE_NUMBER", "(415) 555-2671", "(415) 555-2671"),
        ("PHONE_NUMBER", "ring 415-555-2671x123 now", "415-555-2671x123"),
        ("PHONE_NUMBER", "call 4155552671 now", "4155552671"),
        ("PHONE_NUMBER", "467 3395 office", "467 3395"),
        ("CREDIT_CARD", "pay with 4111 1111 1111 1111 today", "4111 1111 1111 1111"),
        ("CREDIT_CARD", "378282246310005", "378282246310005"),
        ("CREDIT_CARD", "my card is 4111111111111112", "4111111111111112"),
        ("IBAN_CODE", "to DE89 3704 0044 0532 0130 00 please", "DE89 3704 0044 0532 0130 00"),
        ("IBAN_CODE", "gb82west12345698765432", "gb82west12345698765432"),
        ("US_SSN", "it is 219-09-9999.", "219-09-9999"),
        ("US_SSN", "SSN 219099999", "219099999"),
        ("IP_ADDRESS", "ping 192.168.10.7 first", "192.168.10.7"),
        ("IP_ADDRESS", "ping 2001:db8::ff00:42:8329 first", "2001:db8::ff00:42:8329"),
        ("URL_CREDENTIALS", "postgres://app:s3cret@db.example:5432/x", "app:s3cret"),
        *(("API_KEY", f"my key is {key} ok", key) for key in KEYS),
    ],
)
def test_fact_is_found_with_its_kind(kind: str, text: str, value: str) -> None:
    assert found(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\ud800 \x00",
        "What is 4111111111111112 divided by 7?",
        "1111 1111 1111 1111",
        "DE89 3704 0044 0532 0130 01",
        "000-12-3456, 666-12-3456, 219-09-0000",
        "219099999",
        "Is 3141592653 a prime?",
        "numbers 1 2 3 4 5 6 7 8 9",
        "the season 2018-2019",
        "20000-30000 euros",
        "on 2021-03-15 10:22:33 and 15.03.2021",
        "version 1.2.3.4",
        "256.1.1.1 and 12:30:45",
        "3.14159265358979",
        "order 4155552671",
        "https://example.org/a:b@c",
        "a@b and @handle and name@localhost",
        "sk-learn and sk-short",
        "phone order 4155552671",
    ],
)
def test_look_alike_is_left_alone(text: str) -> None:
    assert found(text) == []


def test_offsets_are_code_points() -> None:
    assert find_spans("🙂é jo@example.org") == [Span(3, 17, "EMAIL_ADDRESS")]


def test_finds_are_in_order_and_none_over_another() -> None:
    text = "call +1 415 555 2671, mail jo@example.org, card 4111111111111111"
    assert [kind for kind, _ in found(text)] == ["PHONE_NUMBER", "EMAIL_ADDRESS", "CREDIT_CARD"]


def test_both_ends_of_a_long_text_are_read() -> None:
    mail = "jo@example.org"
    text = f"{mail} {'word ' * EDGE_CHARS_MAX} {mail}"
    assert found(text) == [("EMAIL_ADDRESS", mail)] * 2


@pytest.mark.parametrize(
    "piece", ["1", "1 ", "12-", "a@", "a.", "::", "1.1.", "GB12 ", "555-123-4567 ", "://a:", "eyJa.", "sk-"]
)
def test_hard_text_of_a_megabyte_takes_bounded_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    started = time.perf_counter()
    find_spans(text)
    assert time.perf_counter() - started < 1.0
