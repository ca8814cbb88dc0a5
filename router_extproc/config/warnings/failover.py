"""Warnings of requests that stay with a pool that fails, though another model could answer them."""

from __future__ import annotations

from collections.abc import Iterator

from router_extproc.config.failover import ALTERNATIVES_MAX, Failover, chains_of, orders_of
from router_extproc.config.model import Config
from router_extproc.config.warnings.base import ConfigWarning, Subject


def warn_of_failover(subject: Subject) -> Iterator[ConfigWarning]:
    """Models that are named in vain, and pools that may be silent for as long as they like."""
    config = subject.config
    if config.failover is False or config.failover.attempts_max == 1 or not _resolves(config):
        return
    if not config.envoy.clusters and config.failover != Failover():
        # Envoy tells pools apart by what is rendered for their endpoints.
        yield ConfigWarning("failover", "has no effect without the pools' endpoints in envoy.clusters")
    yield from _warn_of_decisions(config)
    yield from _warn_of_silence(config, config.failover)


def _resolves(config: Config) -> bool:
    """Every model that is named is there; another check tells if not."""
    named = [each.model for decision in config.decisions for each in decision.candidates]
    named += [model.fallback for model in config.models.values() if model.fallback is not None]
    return config.default_model in config.models and all(name in config.models for name in named)


def _warn_of_decisions(config: Config) -> Iterator[ConfigWarning]:
    orders = orders_of(config)
    for index, decision in enumerate(config.decisions):
        names = [each.model for each in decision.candidates]
        clusters = {config.models[name].cluster for name in names}
        path = f"decisions[{index}].models"
        if decision.failover and len(names) > 1 and len(clusters) == 1:
            yield ConfigWarning(
                path,
                f"its requests cannot fail over: every model is in the same cluster '{clusters.pop()}'",
            )
        elif names and len(clusters) - 1 > len(orders.get((decision.name, names[0]), clusters)) > 0:
            yield ConfigWarning(
                path, f"of further pools only the first {ALTERNATIVES_MAX} are ever asked when one fails"
            )


def _warn_of_silence(config: Config, failover: Failover) -> Iterator[ConfigWarning]:
    if "failed" not in failover.on or failover.first_byte_timeout_s is not None:
        return
    pools = dict.fromkeys(name for chain in chains_of(config) for name in chain)
    silent = [name for name in pools if config.envoy.traffic(name).first_byte_timeout_s is None]
    if silent:
        yield ConfigWarning(
            "failover.first_byte_timeout_s",
            f"is not given: pool '{silent[0]}' is left when it fails, but a request to which it says nothing"
            " waits for envoy.stream_idle_timeout_s",
        )
