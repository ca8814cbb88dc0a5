"""Warnings of candidates that are never chosen."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.decisions import Decision
from router_extproc.config.failover import orders_of
from router_extproc.config.model import Config, Model
from router_extproc.config.warnings.base import ConfigWarning, Subject
from router_extproc.routing.selection.fixed import FixedSettings


def warn_of_candidates(subject: Subject) -> Iterator[ConfigWarning]:
    """Models in a list of which an earlier one is always taken."""
    config = subject.config
    for index, decision in enumerate(config.decisions):
        if isinstance(decision.selection, FixedSettings) and decision.model is None:
            yield from _warn_of_later_ones(f"decisions[{index}].models", decision, config)


def _warn_of_later_ones(path: str, decision: Decision, config: Config) -> Iterator[ConfigWarning]:
    names = [candidate.model for candidate in decision.candidates]
    for index, name in enumerate(names):
        hiding = [other for other in names[:index] if _takes_all_of(other, name, config.models)]
        if hiding and _fails_over(config, decision, name):
            continue
        if hiding:
            problem = (
                f"'{name}' is never taken: selection is fixed, and '{hiding[0]}' before it accepts all that"
                " it does; choose another selection, or say what the models accept"
            )
            yield ConfigWarning(f"{path}[{index}]", problem)


def _fails_over(config: Config, decision: Decision, name: str) -> bool:
    """True when the model is asked once the pool of the first one fails."""
    first = decision.candidates[0].model
    if first not in config.models or any(each.model not in config.models for each in decision.candidates):
        return False
    return name in orders_of(config).get((decision.name, first), ())


def _takes_all_of(name: str, other: str, models: dict[str, Model]) -> bool:
    """True when the one can answer whatever the other can."""
    if name not in models or other not in models:
        return False
    mine, others = models[name], models[other]
    accepts = mine.accepts is None or (others.accepts is not None and {*others.accepts} <= {*mine.accepts})
    return accepts and _reads(mine) >= _reads(others)


def _reads(model: Model) -> float:
    return float("inf") if model.context_tokens is None else model.context_tokens
