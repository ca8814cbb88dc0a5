"""Warnings of redaction: ways on which a request leaves as it came."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.decisions import Decision
from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.errors import ConfigError
from router_extproc.routing.rules import read_rule


def warn_of_unredacted(subject: Subject) -> Iterator[ConfigWarning]:
    """Requests that pass unread, beside a decision that redacts."""
    config = subject.config
    for index, decision in enumerate(config.decisions):
        if decision.action is None or decision.action.redact is None:
            continue
        path = f"decisions[{index}]"
        redact = decision.action.redaction
        if config.envoy.profile != "inline" and redact is not None and redact.restore:
            problem = (
                "is not put back into answers: clients see placeholders, because an answer of the split"
                " profile cannot be changed; set envoy.profile: inline, or write redact: {kinds: [...],"
                " restore: false} if that is meant"
            )
            yield ConfigWarning(f"{path}.action.redact", problem)
        if config.envoy.unread == "pass":
            problem = (
                "replaces personal data, but Envoy lets requests pass as they are while the sidecar is away;"
                " also set envoy.unread: deny"
            )
            yield ConfigWarning(f"{path}.action.redact", problem)
        if decision.unread == "pass" and (late := _needing_inference(decision, config)):
            problem = (
                f"hangs on {', '.join(sorted(late))}: a request for which it could not be read in time is not"
                " redacted; also set unread: deny, or leave `when` out"
            )
            yield ConfigWarning(f"{path}.when", problem)


def _needing_inference(decision: Decision, config: Config) -> set[str]:
    """Signals of its rule that may run out of time."""
    try:
        asked = {test.signal for test in read_rule(decision.when).tests()} & config.signals.keys()
    except ConfigError:
        return set()
    return {name for name in asked if config.signals[name].needs_encoder}
