"""Conditions of old decisions as `when` trees: AND, OR and NOT become all, any and not.

A condition that cannot be asked here counts as one that never holds. What follows from that is folded, so
that no rule has parts that say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.draft import When


def all_of(parts: Sequence[When]) -> When:
    """Holds when every part does; of no part, always."""
    asked = [part for part in parts if not isinstance(part, bool)]
    if False in [part for part in parts if isinstance(part, bool)]:
        return False
    if len(asked) < 2:  # noqa: PLR2004 - a list of one needs no list
        return asked[0] if asked else True
    return {"all": list(asked)}


def any_of(parts: Sequence[When]) -> When:
    """Holds when at least one part does; of no part, never."""
    asked = [part for part in parts if not isinstance(part, bool)]
    if True in [part for part in parts if isinstance(part, bool)]:
        return True
    if len(asked) < 2:  # noqa: PLR2004 - likewise
        return asked[0] if asked else False
    return {"any": list(asked)}


def none_of(part: When) -> When:
    """Holds when the part does not."""
    if isinstance(part, bool):
        return not part
    return {"not": part}


def read_conditions(node: OldSection, tests: Mapping[tuple[str, str], When]) -> When:
    """The `when` tree of a rule node; a condition that is not in `tests` never holds, and is noted."""
    if "type" in node:
        return _leaf(node, tests)
    operator = (node.text("operator") or "").strip().upper()
    parts = [read_conditions(part, tests) for part in node.sections("conditions")]
    match operator:
        case "AND":
            return all_of(parts)
        case "NOT" if len(parts) == 1:
            return none_of(parts[0])
        case "NOT":
            node.lose("", f"NOT with {len(parts)} conditions never matches")
            return False
        case "" if not parts:
            return True
        case _:
            return any_of(parts)


def _leaf(node: OldSection, tests: Mapping[tuple[str, str], When]) -> When:
    kind = (node.text("type") or "").strip().lower()
    name = node.text("name") or ""
    node.ignore_rest()
    if (kind, name) in tests:
        return tests[kind, name]
    node.lose("", f"no signal here answers {kind} '{name}', so this condition never holds")
    return False
