"""The old signal `keywords` as ours: OR, AND and NOR of words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.conditions import all_of, none_of
from router_extproc.migration.vllm_sr.draft import Entry, When
from router_extproc.migration.vllm_sr.supported import accepts_signal

#: Share of a misspelt word that must be right, unless the old file says it (in percent).
FUZZY_PERCENT: Final = 80
#: Methods that find the words themselves.
_EXACT: Final = ("regex", "")
_NEAREST: Final = "the same words, matched as whole words"


def keyword_signals(rule: OldSection, name: str) -> tuple[Mapping[str, Entry], When]:
    """The signals that a rule needs, and how it is asked."""
    words = [word for word in rule.texts("keywords") if word.strip()]
    base: dict[str, JsonValue] = {"type": "keywords", **_matching(rule)}
    operator = (rule.text("operator") or "OR").upper()
    if not words:
        return {}, False
    if operator == "AND" and len(words) > 1:
        each = {f"{name}.{number}": word for number, word in enumerate(words, start=1)}
        entries = {key: Entry({**base, "any": [word]}) for key, word in each.items()}
        return entries, all_of([{key: True} for key in each])
    found: When = {name: True}
    return {name: Entry({**base, "any": list(words)})}, none_of(found) if operator == "NOR" else found


def _matching(rule: OldSection) -> dict[str, JsonValue]:
    """How words are compared; what is not compared so here is noted."""
    method = (rule.text("method") or "").lower()
    percent = rule.number("fuzzy_threshold") or FUZZY_PERCENT
    rule.ignore("bm25_threshold", "ngram_threshold", "ngram_arity")
    settings: dict[str, JsonValue] = {"case_sensitive": True} if rule.flag("case_sensitive") else {}
    if rule.flag("fuzzy_match") or method == "fuzzy":
        fuzzy: dict[str, JsonValue] = {**settings, "fuzzy": percent / 100}
        if accepts_signal({"type": "keywords", "any": ["x"], **fuzzy}):
            return fuzzy
        key = "fuzzy_match" if "fuzzy_match" in rule else "method"
        rule.lose(key, "words are matched exactly here, not with misspellings", _NEAREST)
    elif method not in _EXACT:
        rule.lose("method", f"words are matched exactly here, not by {method}", _NEAREST)
    return settings
