"""Domains that conditions name without a rule of their own: the old router took them for categories."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router_extproc.migration.old_file import OldSection
from router_extproc.migration.vllm_sr.domains import SIGNAL, domain_signal, labels_of
from router_extproc.migration.vllm_sr.draft import Signals, When


def with_implied_domains(
    signals: Signals, decisions: Sequence[OldSection], threshold: float | None
) -> Signals:
    """The signals, and a test for each such domain that our head knows."""
    wanted = {name for section in decisions for name in _domains(section.section("rules"))}
    implied: dict[tuple[str, str], When] = {
        ("domain", name): {SIGNAL: list(labels_of((name,)))}
        for name in sorted(wanted)
        if ("domain", name) not in signals.tests and labels_of((name,))
    }
    if not implied:
        return signals
    entries = {SIGNAL: domain_signal(threshold), **signals.signals}
    return Signals(entries, {**signals.tests, **implied})


def _domains(node: OldSection) -> Iterator[str]:
    if (node.text("type") or "").strip().lower() == "domain":
        yield node.text("name") or ""
    for part in node.sections("conditions"):
        yield from _domains(part)
