"""The section `savings`: the model with which the cost of every answer is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from router_extproc.errors import ConfigError
from router_extproc.section import Section, did_you_mean

if TYPE_CHECKING:
    from router_extproc.config.model import Config


class SavingsSection(Section):
    """What routing and the cache have saved is told against one model for all requests."""

    #: A key in `models`. None: the dearest of them.
    baseline: str | None = None


def baseline_of(config: Config) -> str | None:
    """The baseline; None: no model has a price."""
    if config.savings.baseline is not None:
        return config.savings.baseline
    priced = {
        key: model.cost.input_per_mtok + model.cost.output_per_mtok for key, model in config.models.items()
    }
    dearest = max(priced, key=priced.__getitem__)
    return dearest if priced[dearest] else None


def check_savings(config: Config) -> Iterator[ConfigError]:
    """A baseline that is no model, or costs nothing."""
    name = config.savings.baseline
    if name is None:
        return
    model = config.models.get(name)
    if model is None:
        hint = did_you_mean(name, config.models)
        yield ConfigError("savings.baseline", f"no model named '{name}'{hint}")
    elif not (model.cost.input_per_mtok or model.cost.output_per_mtok):
        yield ConfigError("savings.baseline", f"'{name}' has no price: nothing would be saved against it")
