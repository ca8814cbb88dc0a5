"""The files of the rendered configuration: a bootstrap, and the fragments for somebody's Envoy.

It does no I/O. The rule it keeps: the fragments are the bootstrap's own parts, so that what is
tested in one holds in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import betterproto2

from router_extproc.config.model import Config
from router_extproc.envoy_config.bootstrap import bootstrap
from router_extproc.envoy_config.clusters import pool_clusters, server_cluster
from router_extproc.envoy_config.filters import early_header_mutation, http_filters, local_replies
from router_extproc.envoy_config.reasons import REASONS
from router_extproc.envoy_config.routes import virtual_host
from router_extproc.envoy_config.yaml_text import Tree, write_yaml

What = Literal["bootstrap", "include"]

_MADE_BY = "Made by `router-extproc envoy`; change the router configuration and render again."


def render(config: Config, what: What | None = None) -> dict[str, str]:
    """File name, relative to the output folder, to text; None renders everything."""
    files: dict[str, str] = {}
    if what != "include":
        files["bootstrap.yaml"] = _text(_tree(bootstrap(config)), "A whole Envoy.")
    if what != "bootstrap":
        files |= _include(config)
    return files


def _include(config: Config) -> dict[str, str]:
    manager: dict[str, Tree] = {
        "early_header_mutation_extensions": [_tree(early_header_mutation(config))],
        "local_reply_config": _tree(local_replies()),
        "http_filters": [_tree(one) for one in http_filters(config)],
    }
    clusters: dict[str, Tree] = {
        "clusters": [_tree(one) for one in (server_cluster(config), *pool_clusters(config))]
    }
    return {
        "include/filters.yaml": _text(manager, "For an HTTP connection manager."),
        "include/clusters.yaml": _text(clusters, "For static_resources."),
        "include/routes.yaml": _text(
            {"virtual_hosts": [_tree(virtual_host(config))]}, "For a route configuration."
        ),
    }


def _tree(message: betterproto2.Message) -> dict[str, Tree]:
    tree: dict[str, Tree] = message.to_dict(casing=betterproto2.Casing.SNAKE)
    return tree


def _text(tree: Mapping[str, Tree], purpose: str) -> str:
    return write_yaml(tree, head=f"{purpose}\n{_MADE_BY}", reasons=REASONS)
