"""Checks of `action.redact` and `action.mask`: known kinds, and an Envoy that can do it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from router_extproc.config.decisions import Action, Decision
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.section import did_you_mean
from router_extproc.signals.pii.patterns import TYPES
from router_extproc.signals.pii.signal import KINDS


def check(path: str, decision: Decision, config: Config) -> Iterator[ConfigError]:
    """Every problem of a decision's action; `path`: of the action."""
    action = decision.action
    if action is None or not action.changes_texts:
        return
    redact = action.redaction
    if redact is not None:
        kinds_path = f"{path}.redact" if isinstance(action.redact, tuple) else f"{path}.redact.kinds"
        if not redact.kinds:
            yield ConfigError(kinds_path, "names no kind")
        yield from _check_kinds(kinds_path, redact.kinds)
    yield from _check_kinds(f"{path}.mask", action.mask)
    if action.is_local:
        key = "redact" if redact is not None else "mask"
        yield ConfigError(f"{path}.{key}", "has no effect beside block or answer, which ask no model")
    elif config.envoy.profile != "inline":
        yield from _check_profile(path, action)


def _check_kinds(path: str, kinds: Sequence[str]) -> Iterator[ConfigError]:
    for index, kind in enumerate(kinds):
        if kind not in KINDS:
            hint = did_you_mean(kind, TYPES) or f"; known: {', '.join(TYPES)}"
            yield ConfigError(f"{path}[{index}]", f"no kind named '{kind}'{hint}")
        elif kind not in TYPES:
            problem = (
                f"'{kind}' has no fixed form, so it cannot be found for certain; known: {', '.join(TYPES)}"
            )
            yield ConfigError(f"{path}[{index}]", problem)


def _check_profile(path: str, action: Action) -> Iterator[ConfigError]:
    """In the split profile answers are only watched."""
    redact = action.redaction
    if redact is not None and redact.restore and "restore" in redact.model_fields_set:
        problem = (
            "needs envoy.profile: inline, since an answer of the split profile cannot be changed; to let"
            " clients see placeholders, write redact: {kinds: [...], restore: false}"
        )
        yield ConfigError(f"{path}.redact", problem)
    if action.mask:
        problem = "needs envoy.profile: inline, since an answer of the split profile cannot be changed"
        yield ConfigError(f"{path}.mask", problem)
