"""Checks of selections: what they need of the models that they choose among."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from router_extproc.config.decisions import Decision
from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.routing.selection.base import SelectionSettings
from router_extproc.section import did_you_mean
from router_extproc.signals.base import SignalSettings
from router_extproc.signals.complexity import ComplexitySettings
from router_extproc.signals.quality import QualitySettings

#: What a selection may bring along, by type.
_KINDS: Mapping[str, type[SignalSettings]] = {"complexity": ComplexitySettings, "quality": QualitySettings}
#: In the folder that `train selection` wrote.
_MANIFEST: Final = "manifest.json"


def own_signals(config: Config) -> dict[str, SignalSettings]:
    """The signals that selections bring along, by name."""
    return {
        name: signal
        for decision in config.decisions
        for name, signal in signals_of(decision.selection).items()
    }


def signals_of(selection: SelectionSettings) -> dict[str, SignalSettings]:
    """Those of one selection."""
    return {
        name: _KINDS[section["type"]].model_validate(section)
        for name, section in selection.own_signals().items()
    }


def check_selection(path: str, decision: Decision, config: Config) -> Iterator[ConfigError]:
    """Every problem that can be seen without opening anything."""
    yield from decision.selection.problems(f"{path}.selection")
    if not decision.selection.needs_costs:
        return
    for candidate in decision.candidates:
        model = config.models.get(candidate.model)
        if model is not None and "cost" not in model.model_fields_set:
            yield ConfigError(
                f"models.{candidate.model}.cost",
                f"is required: {path}.selection by {decision.selection.by} compares costs",
            )


def check_selection_files(path: str, decision: Decision, config: Config) -> Iterator[ConfigError]:
    """What a start would end with: a folder that is missing, or does not know a candidate."""
    for signal in signals_of(decision.selection).values():
        if not isinstance(signal, QualitySettings):
            continue
        where = f"{path}.selection.model"
        known = _models_of(Path(signal.model))
        if known is None:
            yield ConfigError(where, f"no folder of `train selection` at '{signal.model}'")
            continue
        for candidate in decision.candidates:
            yield from _check_known(where, candidate.model, config, known)


def _models_of(folder: Path) -> dict[str, None] | None:
    """The models of a table; None: there is no such folder. Whether it is whole, opening it tells."""
    try:
        return {str(each["name"]): None for each in json.loads((folder / _MANIFEST).read_bytes())["models"]}
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _check_known(where: str, key: str, config: Config, known: Mapping[str, None]) -> Iterator[ConfigError]:
    """A candidate must be in the table, by its key or its served name."""
    model = config.models.get(key)
    if model is None or key in known or model.served_name in known:
        return
    name = model.served_name or key
    yield ConfigError(where, f"its table has no scores of '{key}'{did_you_mean(name, known)}")
