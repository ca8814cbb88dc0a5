"""Checks of pools, of the models that stand in for one another, and of what their answers are asked for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router_extproc.config.model import Config
from router_extproc.errors import ConfigError
from router_extproc.section import did_you_mean

_NOT_HIDDEN: Final = (
    "needs envoy.profile: inline, since nothing can be taken out of an answer of the split profile: clients"
    " would see usage that they did not ask for"
)


def check(config: Config) -> Iterator[ConfigError]:
    """Every problem of `models.*.fallback`, `models.*.ask_usage` and of the pools' times."""
    for key, model in config.models.items():
        yield from _check_fallback(key, config)
        if model.ask_usage and config.envoy.profile != "inline":
            yield ConfigError(f"models.{key}.ask_usage", _NOT_HIDDEN)
    clusters = config.envoy.clusters.items()
    pools = {f"envoy.clusters.{name}": pool.first_byte_timeout_s for name, pool in clusters}
    pause_s = config.envoy.stream_idle_timeout_s
    bounds = {"envoy": config.envoy.first_byte_timeout_s, **pools}
    if config.failover is not False:
        bounds["failover"] = config.failover.first_byte_timeout_s
    for path, first_s in bounds.items():
        if first_s is not None and first_s > pause_s:
            yield ConfigError(
                f"{path}.first_byte_timeout_s",
                f"must be <= envoy.stream_idle_timeout_s ({pause_s:g}), which ends a silent request first, "
                f"got {first_s:g}",
            )


def _check_fallback(key: str, config: Config) -> Iterator[ConfigError]:
    path, model = f"models.{key}.fallback", config.models[key]
    if model.fallback is None:
        return
    other = config.models.get(model.fallback)
    if other is None:
        hint = did_you_mean(model.fallback, config.models)
        yield ConfigError(path, f"no model named '{model.fallback}'{hint}")
    elif model.fallback == key:
        yield ConfigError(path, "is the model itself: name another one")
    elif other.cluster == model.cluster:
        yield ConfigError(
            path,
            f"'{model.fallback}' is in the same cluster '{model.cluster}', so both are down at the same time",
        )
    elif key in (chain := _chain(key, config)):
        loop = " -> ".join((key, *chain[: chain.index(key) + 1]))
        yield ConfigError(path, f"is circular: {loop}")


def _chain(key: str, config: Config) -> list[str]:
    """The models after `key`, until there is none or one comes twice."""
    names: list[str] = []
    model = config.models.get(key)
    while model is not None and model.fallback is not None and model.fallback not in names:
        names.append(model.fallback)
        model = config.models.get(model.fallback)
    return names
