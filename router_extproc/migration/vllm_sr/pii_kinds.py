"""Kinds of personal data: the old router's names for them, and ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection

#: Every kind that the old router tells apart; None: nothing here finds it.
KINDS: Final[Mapping[str, str | None]] = {
    "EMAIL_ADDRESS": "EMAIL_ADDRESS",
    "PHONE_NUMBER": "PHONE_NUMBER",
    "CREDIT_CARD": "CREDIT_CARD",
    "IBAN_CODE": "IBAN_CODE",
    "US_SSN": "US_SSN",
    "IP_ADDRESS": "IP_ADDRESS",
    "PERSON": "PERSON",
    "STREET_ADDRESS": "STREET_ADDRESS",
    "GPE": "LOCATION",
    "ORGANIZATION": "ORGANIZATION",
    "AGE": None,
    "DATE_TIME": None,
    "DOMAIN_NAME": None,
    "NRP": None,
    "US_DRIVER_LICENSE": None,
    "ZIP_CODE": None,
}
#: Names that files write for the same kinds.
_ALIASES: Final = {"EMAIL": "EMAIL_ADDRESS", "PHONE": "PHONE_NUMBER", "SSN": "US_SSN", "LOCATION": "GPE"}
NEAREST: Final = "signal keywords for what has a fixed form"


def pii_settings(
    section: OldSection, *, allowed: str, threshold: float | None
) -> Mapping[str, JsonValue] | None:
    """The pii signal for all kinds but the allowed ones; None: there is nothing left to look for.

    What nothing here finds is noted at the list of allowed kinds.
    """
    named = [_ALIASES.get(name.upper(), name.upper()) for name in section.texts(allowed)]
    denied = [kind for kind in KINDS if kind not in named]
    missing = [kind for kind in denied if KINDS[kind] is None]
    if missing:
        section.lose(allowed, f"nothing here finds {', '.join(missing)}", NEAREST)
    kinds: list[JsonValue] = list(_known(denied))
    if not kinds:
        return None
    settings: dict[str, JsonValue] = {"type": "pii", "kinds": kinds}
    return {**settings, "min_score": threshold} if threshold else settings


def _known(kinds: Iterable[str]) -> Iterable[str]:
    return [found for kind in kinds if (found := KINDS[kind]) is not None]
