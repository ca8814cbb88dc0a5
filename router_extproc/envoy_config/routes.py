"""The virtual host: which pool a request goes to, and what the client is told about it.

It is not where the decision falls: the server writes `x-router-cluster`, the routes only obey. The
rule it keeps: a request reaches the named pools and nothing else, and without the server it reaches
the default pool.
Source: route_components.proto.
"""

from __future__ import annotations

from datetime import timedelta

from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValueOptionHeaderAppendAction as AppendAction,
)
from envoy_data_plane.envoy.config.route.v3 import (
    HeaderMatcher,
    Route,
    RouteAction,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher

from router_extproc.config.model import Config
from router_extproc.envoy_config.names import CLUSTER_HEADER, METADATA_NAMESPACE

#: Answer header to where its value comes from.
ANSWER_HEADERS = {
    "x-router-model": "%REQ(x-router-model)%",
    "x-router-decision": "%REQ(x-router-decision)%",
    "x-router-cache": f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:cache)%",
    "cache-status": f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:cache_status)%",
}


def virtual_host(config: Config) -> VirtualHost:
    """All domains, one route per pool, and the default route."""
    return VirtualHost(
        name="router_extproc",
        domains=["*"],
        routes=routes(config),
        response_headers_to_remove=list(ANSWER_HEADERS),
        response_headers_to_add=[_set(name, value) for name, value in ANSWER_HEADERS.items()],
        request_body_buffer_limit=config.limits.max_body_bytes,
    )


def routes(config: Config) -> list[Route]:
    """One route per pool, chosen by the routing header, then the default pool."""
    clusters = dict.fromkeys(model.cluster for model in config.models.values())
    chosen = [_route(config, cluster, _names(cluster)) for cluster in clusters]
    default = config.models[config.default_model].cluster
    return [*chosen, _route(config, default, None)]


def _route(config: Config, cluster: str, header: HeaderMatcher | None) -> Route:
    pool = config.envoy.clusters.get(cluster)
    action = RouteAction(
        cluster=cluster,
        timeout=timedelta(0),
        idle_timeout=timedelta(seconds=config.envoy.stream_idle_timeout_s),
    )
    if pool is not None and pool.tls:
        action.auto_host_rewrite = True
    return Route(
        name=f"to {cluster}" if header else "default",
        match=RouteMatch(prefix="/", headers=[header] if header else []),
        route=action,
    )


def _names(cluster: str) -> HeaderMatcher:
    return HeaderMatcher(name=CLUSTER_HEADER, string_match=StringMatcher(exact=cluster))


def _set(name: str, value: str) -> HeaderValueOption:
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value), append_action=AppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    )
