"""The old signal `conversation`, which counts parts of a request, as ours of the same name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from router_extproc.llm.answer import JsonValue
from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.supported import accepts_signal

#: What is counted (and the role of a message) to our key for it.
FACTS: Final[Mapping[tuple[str, str], str]] = {
    ("message", "user"): "turns",
    ("tool_definition", ""): "tools_offered",
    ("assistant_tool_call", ""): "tools_called",
    ("assistant_tool_cycle", ""): "tools_called",
    ("image_content", ""): "images",
}


def conversation_settings(rule: OldSection) -> Mapping[str, JsonValue] | None:
    """Our settings; None: this is not counted here."""
    feature, predicate = rule.section("feature"), rule.section("predicate")
    source = feature.section("source")
    fact = FACTS.get((source.text("type") or "", source.text("role") or ""))
    bounds = bounds_of(predicate)
    feature.text("type")
    if fact is None or bounds is None:
        return None
    settings: dict[str, JsonValue] = {"type": "conversation", fact: bounds or {"min": 1}}
    return settings if accepts_signal(settings) else None


def bounds_of(predicate: OldSection) -> dict[str, JsonValue] | None:
    """Inclusive bounds; None: they leave no whole number."""
    over, low = predicate.number("gt"), predicate.number("gte")
    under, high = predicate.number("lt"), predicate.number("lte")
    least = None if over is None and low is None else max(_whole(low), 0 if over is None else int(over) + 1)
    most = high if under is None else under - 1
    if most is not None and most < (least or 0):
        return None
    bounds = {"min": least, "max": None if most is None else int(most)}
    return {key: bound for key, bound in bounds.items() if bound is not None}


def _whole(number: float | None) -> int:
    """The smallest whole number that is not less."""
    return 0 if number is None else -int(-number // 1)
