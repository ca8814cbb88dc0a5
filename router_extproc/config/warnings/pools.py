"""Warnings of models and of the pools behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from router_extproc.address import TcpAddress, parse_tcp
from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.starter import PLACEHOLDER
from router_extproc.config.warnings.base import ConfigWarning, Subject

#: Where TLS is spoken.
_HTTPS_PORT: Final = 443


def warn_of_pools(subject: Subject) -> Iterator[ConfigWarning]:
    """Pools that nobody asks, that ask themselves, or that are asked in the wrong language."""
    config = subject.config
    used = {model.cluster for model in config.models.values()}
    for name, cluster in config.envoy.clusters.items():
        path = f"envoy.clusters.{name}"
        if name not in used:
            yield ConfigWarning(path, "no model uses this pool")
        if not cluster.tls and subject.is_written(f"{path}.ca_file"):
            yield ConfigWarning(
                f"{path}.ca_file",
                "has no effect: tls is false, so the connection to the pool is not encrypted",
            )
        yield from _warn_of_endpoints(f"{path}.endpoints", cluster, _own_addresses(subject))


def _own_addresses(subject: Subject) -> dict[TcpAddress | None, str]:
    envoy, loopback = parse_tcp(subject.config.envoy.listen), "127.0.0.1"
    if envoy is None:
        return {}
    # Who listens on all interfaces listens on loopback, too.
    is_local = envoy.is_on_all_interfaces or envoy.host == loopback
    hosts = {envoy.host, *((loopback, "localhost") if is_local else ())}
    return {TcpAddress(host, envoy.port): "envoy.listen" for host in hosts}


def _warn_of_endpoints(
    path: str, cluster: EnvoyCluster, own: dict[TcpAddress | None, str]
) -> Iterator[ConfigWarning]:
    seen = Counter[str]()
    for index, endpoint in enumerate(cluster.endpoints):
        address = parse_tcp(endpoint)
        here = f"{path}[{index}]"
        if address in own:
            yield ConfigWarning(here, f"is {own[address]}: Envoy would send requests to itself for ever")
        if address is not None and address.port == _HTTPS_PORT and not cluster.tls:
            yield ConfigWarning(here, "has port 443, but tls is false: write tls: true")
        if seen[endpoint]:
            yield ConfigWarning(here, f"'{endpoint}' is written twice")
        seen[endpoint] += 1


def warn_of_placeholders(subject: Subject) -> Iterator[ConfigWarning]:
    """Names that `init` could not find out, and that nobody has filled in since."""
    for key, model in subject.config.models.items():
        if model.served_name == PLACEHOLDER:
            problem = f"{PLACEHOLDER} stands for the name that the pool's /v1/models lists: write it here"
            yield ConfigWarning(f"models.{key}.served_name", problem)


def warn_of_models(subject: Subject) -> Iterator[ConfigWarning]:
    """Models that cannot be told apart, and prices that make savings wrong."""
    models = subject.config.models
    seen: dict[tuple[str, str], str] = {}
    priced = [key for key, model in models.items() if model.cost.input_per_mtok or model.cost.output_per_mtok]
    for key, model in models.items():
        target = (model.cluster, model.served_name or key)
        if target in seen:
            problem = (
                f"is the same as models.{seen[target]}: cluster '{target[0]}' serves both as '{target[1]}'"
            )
            yield ConfigWarning(f"models.{key}", problem)
        seen.setdefault(target, key)
        if priced and not subject.is_written(f"models.{key}.cost"):
            problem = f"has no cost, unlike {', '.join(priced)}: what its hits save is counted as 0"
            yield ConfigWarning(f"models.{key}", problem)
    if not subject.config.virtual_models:
        problem = "is empty, so no request is routed and no decision is ever taken"
        yield ConfigWarning("virtual_models", problem)
