"""Warnings of signals that nothing looks at."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.errors import ConfigError
from router_extproc.routing.rules import read_rule


def warn_of_unused(subject: Subject) -> Iterator[ConfigWarning]:
    """Signals that no rule mentions: nobody learns what they would have found."""
    asked: set[str] = set()
    cache = subject.config.semantic_cache
    rules = [decision.when for decision in subject.config.decisions]
    for rule in (*rules, cache.bypass_when if cache.enabled else None):
        try:
            asked.update(test.signal for test in read_rule(rule).tests())
        except ConfigError:
            # What that rule asks is not known, so nothing is said of what nobody asks.
            return
    for name in subject.config.signals:
        if name not in asked:
            yield ConfigWarning(f"signals.{name}", "no decision uses it, so it is not computed")
