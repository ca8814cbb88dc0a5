"""The virtual host: which pool a request goes to, and what the client is told about it.

It is not where the decision falls: the server writes `x-router-cluster`, the routes only obey. The
rule it keeps: a request reaches the named pools and nothing else; without the server it reaches the
default pool; what is no inference request meets none of our filters.
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
    FilterConfig,
    HeaderMatcher,
    Route,
    RouteAction,
    RouteMatch,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.buffer.v3 import Buffer, BufferPerRoute
from envoy_data_plane.envoy.type.matcher.v3 import StringMatcher
from envoy_data_plane.envoy.type.v3 import Int64Range
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.model import Config
from router_extproc.config.pools import PoolTraffic
from router_extproc.dialects import DIALECTS
from router_extproc.envoy_config.errors import JSON, too_large
from router_extproc.envoy_config.foreign import unknown_cluster
from router_extproc.envoy_config.names import (
    BUFFER,
    CLUSTER_HEADER,
    DECIDE,
    INLINE,
    METADATA_NAMESPACE,
    OBSERVE,
)
from router_extproc.envoy_config.retries import retry_policy

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
    )


def routes(config: Config) -> list[Route]:
    """The chosen pool, or none by that name; an inference request on its way in; everything that is not ours.

    A pool is chosen first: our own rewriting may make a body longer than a client's may be.
    """
    clusters = dict.fromkeys(model.cluster for model in config.models.values())
    chosen = [
        _route(config, f"to {name}", RouteMatch(prefix="/", headers=[_chosen(name)]), name)
        for name in clusters
    ]
    default = config.models[config.default_model].cluster
    paths = [path for dialect in DIALECTS.values() for path in dialect.paths]
    inference = [
        _route(config, f"inference {path}", RouteMatch(path=path, headers=[_POST]), default) for path in paths
    ]
    oversize = [_oversize(config, path) for path in paths]
    rest = _route(config, "everything else", RouteMatch(prefix="/"), default)
    for route in inference:
        route.typed_per_filter_config = {BUFFER: _buffered(config)}
    rest.typed_per_filter_config = dict.fromkeys(_deciding_filters(config), _OFF)
    return [*chosen, unknown_cluster(), *oversize, *inference, rest]


def _oversize(config: Config, path: str) -> Route:
    announced = Int64Range(start=config.limits.max_body_bytes + 1, end=_INT64_MAX)
    length = HeaderMatcher(name="content-length", range_match=announced)
    return Route(
        name=f"too large {path}",
        match=RouteMatch(path=path, headers=[_POST, length]),
        direct_response=too_large(),
        response_headers_to_add=[_set("content-type", JSON)],
        typed_per_filter_config=dict.fromkeys(_deciding_filters(config), _OFF),
    )


def _route(config: Config, name: str, match: RouteMatch, cluster: str) -> Route:
    pool = config.envoy.clusters.get(cluster)
    action = RouteAction(
        cluster=cluster,
        timeout=timedelta(0),
        idle_timeout=timedelta(seconds=config.envoy.stream_idle_timeout_s),
    )
    if pool is not None and pool.tls:
        action.auto_host_rewrite = True
    action.retry_policy = retry_policy(pool or PoolTraffic())
    return Route(name=name, match=match, route=action)


def _chosen(cluster: str) -> HeaderMatcher:
    return HeaderMatcher(name=CLUSTER_HEADER, string_match=StringMatcher(exact=cluster))


_INT64_MAX = 2**63 - 1
_POST = HeaderMatcher(name=":method", string_match=StringMatcher(exact="POST"))
_OFF = Packed.pack(FilterConfig(disabled=True))


def _buffered(config: Config) -> Packed:
    return Packed.pack(BufferPerRoute(buffer=Buffer(max_request_bytes=config.limits.max_body_bytes)))


def _deciding_filters(config: Config) -> tuple[str, ...]:
    return (INLINE,) if config.envoy.profile == "inline" else (DECIDE, OBSERVE)


def _set(name: str, value: str) -> HeaderValueOption:
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value), append_action=AppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    )
