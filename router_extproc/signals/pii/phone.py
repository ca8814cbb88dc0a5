"""Tells phone numbers from other numbers.

A number in the form of a phone number must be valid in some country, or a word before it must announce it;
bare digits must always be announced.
"""

from __future__ import annotations

import re
from typing import Final

import phonenumbers

from router_extproc.signals.pii.context import Nearby, is_announced

DIGITS_MIN = 7
DIGITS_MAX = 15
#: Where a number without a country code may be from: the largest by users, numbering plans apart.
REGIONS: Final = ("US", "GB", "DE", "FR", "IN", "ES", "IT", "AU")
CUE = re.compile(
    r"phone|\btel\b|\btel[.:]|telefon|\bcall|\bdial|\bfax|mobile|\bcell\b|whatsapp|\bsms\b|\bring\b|hotline|toll"
    r"|\bcontact|\breach|callback|\btext (?:me|us|him|her|them)\b|landline|\bline is\b|helpline|\bdesk at\b"
    r"|answering at|support line"
)
#: Nearer than the cue, these announce something else.
OTHER = re.compile(
    r"\bnpi\b|\bimei\b|\bmrn\b|account|order|invoice|licen[cs]e|passport|\bid\b|\bpin\b|zip|policy|record|serial|routing"
    r"|ticket|tracking|\bcard\b|\bssn\b|\biban\b|\bfrom\b.*\bto\b"
)
AFTER_CUE = re.compile(r"\W{0,2}(?:office|fax|mobile|cell|home|work)\b")
DATE = re.compile(
    r"(?:19|20)\d{2}[-./ ]\d{1,2}[-./ ]\d{1,2}(?:\D|$)|\d{1,2}[-./ ]\d{1,2}[-./ ](?:19|20)\d{2}(?:\D|$)"
)
GROUP = re.compile(r"\d+")
#: Fewer groups are often two numbers, unless they begin like a phone number.
GROUPS_MIN = 3
#: Digits in the groups of a US social security number, also of one that was never given.
SSN_GROUPS: Final = [3, 2, 4]


def is_phone(text: str, nearby: Nearby) -> bool:
    """True for a phone number."""
    number = re.split(" ?(?:x|ext)", text, maxsplit=1)[0]
    groups = GROUP.findall(number)
    if not DIGITS_MIN <= sum(map(len, groups)) <= DIGITS_MAX or DATE.match(number) or is_list(groups):
        return False
    if is_announced(nearby.before, CUE, OTHER) or AFTER_CUE.match(nearby.after):
        return True
    if number.startswith(("+", "(+")):
        return True
    return looks_dialled(number, groups) and any(is_valid(number, region) for region in REGIONS)


def is_list(groups: list[str]) -> bool:
    """True for small numbers in a row: a phone number has single digits at its front only."""
    return any(len(group) == 1 for group in groups[2:])


def looks_dialled(number: str, groups: list[str]) -> bool:
    """True when it is parted like a phone number, and not like a US social security number."""
    if [len(group) for group in groups] == SSN_GROUPS:
        return False
    return len(groups) >= GROUPS_MIN or (len(groups) > 1 and number.startswith(("(", "0")))


def is_valid(number: str, region: str) -> bool:
    """True when the region's numbering plan has it."""
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
