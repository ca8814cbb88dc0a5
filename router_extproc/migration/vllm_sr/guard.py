"""`prompt_guard`: attacks are refused before any decision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.decisions import blocked
from router_extproc.migration.vllm_sr.draft import Decision, Entry
from router_extproc.migration.vllm_sr.signals import guard_settings
from router_extproc.migration.vllm_sr.supported import blocks_pinned

#: The name of the signal, and of the decision that refuses.
GUARD: Final = "prompt-guard"
_COMMENT: Final = (
    "Attacks are refused with an error of status 403. The old router answered 200 with a text; `answer:` in"
    " place of `block:` does that."
)


def read_prompt_guard(section: OldSection) -> Mapping[str, Entry]:
    """The signal, or nothing where the guard is off."""
    if not section.flag("enabled"):
        section.ignore_rest()
        return {}
    if not blocks_pinned():
        _note_pinned(section)
    return {GUARD: Entry(*guard_settings(section.number("threshold")))}


def _note_pinned(section: OldSection) -> None:
    reason = "requests that name a real model are sent there unread: decisions are for virtual models"
    section.lose("enabled", reason, "let clients ask for a virtual model only")


def guard_decision(guard: Mapping[str, Entry], highest: int) -> Iterator[Decision]:
    """The decision that refuses, above all others."""
    for name in guard:
        yield Decision(name, highest + 100, {name: True}, blocked(), "prompt_guard", _COMMENT)
