"""Warnings of requests that nobody reads although a rule wants them read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.config.decisions import Decision
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.errors import ConfigError
from router_extproc.routing.rules import read_rule

#: Signals by which requests are held back: who passes unread passes them by.
_GUARDING: Final = frozenset({"guard", "pii"})


def warn_of_paths_past_the_guard(subject: Subject) -> Iterator[ConfigWarning]:
    """A guard that reads one API while others reach the default pool unread."""
    config = subject.config
    if config.envoy.other_paths != "pass":
        return
    for index, decision in enumerate(config.decisions):
        path = f"decisions[{index}].when"
        asked = _asked_by(decision) & config.signals.keys()
        guarding = {name for name in asked if config.signals[name].type in _GUARDING}
        if guarding:
            problem = (
                f"uses {', '.join(sorted(guarding))}, which reads inference requests only, while"
                " envoy.other_paths lets requests to every other API pass unread, also to those that are only"
                " routed (rerank, tokenize, audio, ...); set it to deny, or list the paths that may pass"
            )
            yield ConfigWarning(path, problem)


def _asked_by(decision: Decision) -> set[str]:
    """The signals that its rule mentions; none of a rule that cannot be read, which is an error elsewhere."""
    try:
        return {test.signal for test in read_rule(decision.when).tests()}
    except ConfigError:
        return set()


def warn_of_half_a_refusal(subject: Subject) -> Iterator[ConfigWarning]:
    """A decision that refuses, beside an Envoy that passes what the sidecar did not decide."""
    config = subject.config
    for index, decision in enumerate(config.decisions):
        if decision.unread == "deny" and config.envoy.unread == "pass":
            problem = (
                "refuses requests that a running sidecar cannot read, but Envoy lets everything pass"
                " unread while the sidecar is away; also set envoy.unread: deny"
            )
            yield ConfigWarning(f"decisions[{index}].unread", problem)
        elif decision.action is not None and decision.action.block and config.envoy.unread == "pass":
            problem = (
                "refuses requests, but Envoy lets everything pass unread while the sidecar is away, late or"
                " fails; also set envoy.unread: deny where none of them may reach a pool"
            )
            yield ConfigWarning(f"decisions[{index}].action.block", problem)
