"""The files of the rendered configuration: a bootstrap, and the fragments for somebody's Envoy.

The fragments are the bootstrap's own parts, so that what is tested in one holds in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal, TypeAlias

import betterproto2
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
)

from router_extproc.config.model import Config
from router_extproc.envoy_config.bootstrap import bootstrap
from router_extproc.envoy_config.clusters import grpc_clusters, pool_clusters, server_cluster
from router_extproc.envoy_config.filters import http_filters
from router_extproc.envoy_config.listener import guards
from router_extproc.envoy_config.reasons import REASONS
from router_extproc.envoy_config.routes import virtual_host
from router_extproc.envoy_config.yaml_text import Tree, write_yaml
from router_extproc.errors import ConfigError, ConfigProblems

#: Which files to render.
What: TypeAlias = Literal["bootstrap", "include"]

_MADE_BY: Final = (
    "Rendered by `router-extproc envoy`. Do not edit: change the router's configuration and render again."
)
_BOOTSTRAP: Final = "A complete Envoy configuration: envoy -c bootstrap.yaml"
_FILTERS: Final = (
    "For the HTTP connection manager of an existing Envoy. The http_filters go before"
    " envoy.filters.http.router (after authentication), the other keys beside http_filters. Mandatory keys"
    " are marked; keep your own limits where they are stricter."
)
_CLUSTERS: Final = "For static_resources of an existing Envoy."
_ROUTES: Final = (
    "For route_config of an existing Envoy. To keep your own virtual host, copy these keys into it: the"
    " routes in this order, before your own catch-all, and the keys behind them."
)

_PROTO_NAMES: Final = {"enforcing_consecutive_5_xx": "enforcing_consecutive_5xx"}


def render(config: Config, what: What | None = None) -> dict[str, str]:
    """File name, relative to the output folder, to text; None renders everything.

    Raises:
        ConfigProblems: a bootstrap was asked for, and a model's pool has no endpoints.
    """
    files: dict[str, str] = {}
    if what != "include":
        _check_pools(config)
        files["bootstrap.yaml"] = _text(tree_of(bootstrap(config)), _BOOTSTRAP)
    if what != "bootstrap":
        files |= _include(config)
    return files


def _check_pools(config: Config) -> None:
    """Envoy refuses a route to a cluster that it does not know."""
    problems = tuple(
        ConfigError(
            f"models.{name}.cluster",
            f"a bootstrap needs envoy.clusters.{model.cluster} with the pool's endpoints "
            "(or render with --what include)",
        )
        for name, model in config.models.items()
        if model.cluster not in config.envoy.clusters
    )
    if problems:
        raise ConfigProblems(problems)


def _include(config: Config) -> dict[str, str]:
    manager = tree_of(HttpConnectionManager(**guards(config), http_filters=http_filters(config)))
    ours = (server_cluster(config), *pool_clusters(config), *grpc_clusters(config))
    clusters: dict[str, Tree] = {"clusters": [tree_of(one) for one in ours]}
    hosts: dict[str, Tree] = {"virtual_hosts": [tree_of(virtual_host(config))]}
    return {
        "include/filters.yaml": _text(manager, _FILTERS),
        "include/clusters.yaml": _text(clusters, _CLUSTERS),
        "include/routes.yaml": _text(hosts, _ROUTES),
    }


def tree_of(message: betterproto2.Message) -> dict[str, Tree]:
    """The message as Envoy reads it in YAML and JSON, by the names of the .proto files."""
    tree: dict[str, Tree] = message.to_dict(casing=betterproto2.Casing.SNAKE)
    return {key: _named(value) for key, value in tree.items()}


def _named(value: Tree) -> Tree:
    """The same with the names that the snake casing of betterproto2 gets wrong."""
    match value:
        case Mapping():
            return {_PROTO_NAMES.get(key, key): _named(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_named(inner) for inner in value]
        case _:
            return value


def _text(tree: Mapping[str, Tree], purpose: str) -> str:
    return write_yaml(tree, head=f"{purpose}\n{_MADE_BY}", reasons=REASONS)
