"""Personal facts and secrets of fixed form in a text: where they are, and of which kind.

Patterns only: names, places and organisations are found by the task layers. A number that has check digits
counts only when they are right, or when the words before it say what it is. Offsets are code points.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from itertools import islice
from typing import Final

from stdnum import luhn
from stdnum.iso7064 import mod_97_10

from router_extproc.signals.pii.context import Check, Nearby, is_announced
from router_extproc.signals.pii.phone import is_phone

#: Characters read at each end of a longer text: this may run on the event loop.
EDGE_CHARS_MAX = 16_384
#: Matches of one pattern that are checked in one text; a table of numbers must not hold up a request.
MATCHES_MAX = 200
#: Digits of a card that a word announces; fewer or more are some other number.
ANNOUNCED_CARD_DIGITS = (15, 16)
IBAN_CHARS_MIN = 15
IBAN_CHARS_MAX = 34
SSN_NEVER = ("000", "666")


@dataclass(frozen=True, slots=True)
class Span:
    """One find; offsets in code points, `end` is after the last."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class Kind:
    """What one type of finds looks like."""

    type: str
    #: No text without it has one; looked for first, because it is quick.
    hint: re.Pattern[str]
    pattern: re.Pattern[str]
    check: Check


def is_card(text: str, nearby: Nearby) -> bool:
    """A payment card: an issuer's prefix and the right check digit, or announced."""
    digits = re.sub(r"[ -]", "", text)
    issuer = CARD_PREFIXES.get(len(digits))
    if issuer is None or len(set(digits)) == 1:
        return False
    if issuer.match(digits) and luhn.is_valid(digits):
        return True
    return len(digits) in ANNOUNCED_CARD_DIGITS and is_announced(nearby.before, CARD_CUE, CARD_OTHER)


def is_iban(text: str, nearby: Nearby) -> bool:
    """An account number whose check digits are right. Source: ISO 13616."""
    del nearby
    account = text.replace(" ", "").upper()
    if not IBAN_CHARS_MIN <= len(account) <= IBAN_CHARS_MAX:
        return False
    # Not stdnum.iban, which knows each country's form: a number that its owner mistyped is private, too.
    return bool(mod_97_10.is_valid(account[4:] + account[:4]))


def is_ssn(text: str, nearby: Nearby) -> bool:
    """A US social security number: with separators, or announced."""
    if text.startswith(SSN_NEVER) or text.endswith("0000"):
        return False
    return not text.isdigit() or is_announced(nearby.before, SSN_CUE, SSN_OTHER)


def is_ip(text: str, nearby: Nearby) -> bool:
    """An address that can be parsed and is no version number."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return not VERSION_CUE.search(nearby.before)


def is_always(text: str, nearby: Nearby) -> bool:
    """The pattern says it all."""
    del text, nearby
    return True


MAESTRO = "5[06-9]|6"
#: Issuers' prefixes by number of digits.
CARD_PREFIXES: Final = {
    length: re.compile(prefixes)
    for length, prefixes in {
        12: MAESTRO,
        13: f"4|{MAESTRO}",
        14: "3[0689]",
        15: "3[47]|1800|2131",
        16: f"4|5|2[2-7]|35|{MAESTRO}",
        17: MAESTRO,
        18: MAESTRO,
        19: f"4|{MAESTRO}",
    }.items()
}
CARD_CUE = re.compile(r"card|visa|amex|mastercard|maestro|charge|debit|payment")
CARD_OTHER = re.compile(r"imei|account|order|tracking")
SSN_CUE = re.compile(r"\bssn\b|social security")
SSN_OTHER = re.compile(r"routing|account|passport|licen[cs]e")
VERSION_CUE = re.compile(r"(?:\bversion|\bv|section|chapter|§)[ :]*$")
DIGIT = re.compile(r"\d", re.ASCII)
#: Letters of scripts that part words by spaces. What Chinese, Japanese, Korean or Thai writes right before an
#: address, or behind it, is most often no part of it.
SPACED_LETTERS: Final = (
    r"A-Za-z\u00c0-\u024f\u0370-\u058a\u05d0-\u06ff\u0900-\u0dff\u10a0-\u10ff\u1e00-\u1fff"
)
_SPACED: Final = f"0-9_{SPACED_LETTERS}"
_UNSPACED: Final = rf"[^\W{_SPACED}]"
_MAILBOX: Final = (
    rf"(?:(?<![{_SPACED}.+-])[{_SPACED}][{_SPACED}.+%'-]{{0,63}}|(?<![\w.+-]){_UNSPACED}{{1,64}})"
)
_DOMAIN: Final = rf"(?:[{_SPACED}][{_SPACED}-]{{0,62}}\.){{1,8}}[{SPACED_LETTERS}]{{2,24}}(?![{_SPACED}@])"
_UNSPACED_DOMAIN: Final = rf"(?={_UNSPACED})(?:\w[\w-]{{0,62}}\.){{1,8}}[^\W\d_]{{2,24}}(?![\w@])"

#: The surest first: a find keeps its characters from those after it.
KINDS: Final = (
    Kind(
        "URL_CREDENTIALS",
        re.compile("://"),
        re.compile(r"(?<=://)[^\s/@:?#]{1,64}:[^\s/@?#]{1,128}(?=@[\w.-])"),
        is_always,
    ),
    Kind(
        "API_KEY",
        re.compile(r"[-_.]|AKIA|ASIA|AIza"),
        re.compile(
            r"(?<![\w-])(?:sk-[\w-]{20,200}|[sr]k_(?:live|test)_\w{16,120}|gh[pousr]_\w{36,255}"
            r"|github_pat_\w{22,255}|glpat-[\w-]{20,64}|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}"
            r"|xox[abposr]-[\w-]{10,200}|hf_\w{30,64}|npm_\w{36}|SG\.[\w-]{16,32}\.[\w-]{32,64}"
            r"|eyJ[\w-]{8,4096}\.eyJ[\w-]{8,4096}\.[\w-]{8,1024})(?![\w-])"
            r"|-----BEGIN (?:[A-Z]{2,12} )?PRIVATE KEY-----",
            re.ASCII,
        ),
        is_always,
    ),
    Kind(
        "EMAIL_ADDRESS",
        re.compile("@"),
        re.compile(f"{_MAILBOX}@(?:{_DOMAIN}|{_UNSPACED_DOMAIN})"),
        is_always,
    ),
    Kind(
        "IBAN_CODE",
        DIGIT,
        re.compile(
            r"(?<!\w)[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)", re.ASCII | re.IGNORECASE
        ),
        is_iban,
    ),
    Kind(
        "CREDIT_CARD",
        DIGIT,
        re.compile(r"(?<![\w.-])[1-6]\d{3}(?:[ -]?\d){8,15}(?![\w-]|[.,]\d)", re.ASCII),
        is_card,
    ),
    Kind(
        "US_SSN",
        DIGIT,
        re.compile(r"(?<![\w.-])\d{3}([-. ]?)\d{2}\1\d{4}(?![\w-]|[.,]\d)", re.ASCII),
        is_ssn,
    ),
    Kind(
        "IP_ADDRESS",
        re.compile("[.:]"),
        re.compile(
            r"(?<![\w.:])(?:(?:\d{1,3}\.){3}\d{1,3}|(?=[\da-fA-F]*:[\da-fA-F]*:)[\da-fA-F:]{3,39})(?![\w:]|\.\d)",
            re.ASCII,
        ),
        is_ip,
    ),
    Kind(
        "PHONE_NUMBER",
        DIGIT,
        re.compile(
            r"(?<![\w./$€£:=*^-])(?<!\d,)(?:\+|\(\+?)?\d(?:[ ./()-]{0,2}\d){6,16}"
            r"(?: ?(?:x|ext\.?) ?\d{1,6})?(?![\w/:=*^]|[.,-]\d)",
            re.ASCII,
        ),
        is_phone,
    ),
)
TYPES: Final = tuple(kind.type for kind in KINDS)


def find_spans(text: str) -> list[Span]:
    """Every find, in order, none over another; of a long text, those at its beginning and its end."""
    if len(text) <= 2 * EDGE_CHARS_MAX:
        return find_in_part(text)
    offset = len(text) - EDGE_CHARS_MAX
    last = [Span(each.start + offset, each.end + offset, each.type) for each in find_in_part(text[offset:])]
    return find_in_part(text[:EDGE_CHARS_MAX]) + last


def find_in_part(text: str) -> list[Span]:
    """Every find, in order, none over another."""
    taken = bytearray(len(text))
    found: list[Span] = []
    for kind in KINDS:
        for span in search_kind(text, kind):
            if not any(taken[span.start : span.end]):
                taken[span.start : span.end] = b"\x01" * (span.end - span.start)
                found.append(span)
    return sorted(found, key=lambda span: span.start)


def search_kind(text: str, kind: Kind) -> Iterator[Span]:
    """The matches of one kind that pass its check."""
    if not kind.hint.search(text):
        return
    for match in islice(kind.pattern.finditer(text), MATCHES_MAX):
        if kind.check(match.group(), Nearby.of(text, *match.span())):
            yield Span(*match.span(), kind.type)
