"""The virtual host: which pool a request goes to, and what the client is told about it.

The server writes `x-router-cluster`, the routes only obey. A request reaches the named pools and nothing
else; without the server it reaches the default pool; what is no inference request meets none of our
filters.
Source: route_components.proto.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

from envoy_data_plane.envoy.config.route.v3 import (
    FilterConfig,
    HeaderMatcher,
    Route,
    RouteAction,
    RouteMatch,
    RouteMatchGrpcRouteMatchOptions,
    VirtualHost,
)
from envoy_data_plane.envoy.extensions.filters.http.buffer.v3 import Buffer, BufferPerRoute
from envoy_data_plane.envoy.type.matcher.v3 import RegexMatcher, StringMatcher
from envoy_data_plane.envoy.type.v3 import Int64Range
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.failover import chains_of
from router_extproc.config.model import Config
from router_extproc.dialects.routed.base import RendersErrors
from router_extproc.envoy_config.cors import cors_policy
from router_extproc.envoy_config.errors import (
    OF_OTHER_PATHS,
    ROUTER_UNAVAILABLE,
    TOO_LARGE,
    UNKNOWN_CLUSTER,
    EnvoyError,
    direct,
    error_headers,
)
from router_extproc.envoy_config.failover import unread_with_failover, with_failover
from router_extproc.envoy_config.header_values import set_header
from router_extproc.envoy_config.names import BUFFER, DECIDE, GRPC_SUFFIX, INLINE, OBSERVE
from router_extproc.envoy_config.read_paths import (
    MODEL_LIST_PATH,
    ReadPaths,
    prefix_pattern,
    read_paths,
    without_final_slash,
)
from router_extproc.envoy_config.retries import retry_policy
from router_extproc.protocol.names import (
    CACHE_HEADER,
    CACHE_KEY,
    CACHE_STATUS_HEADER,
    CACHE_STATUS_KEY,
    CLUSTER_HEADER,
    DEBUG_HEADER,
    DECISION_HEADER,
    EXPLAIN_HEADER,
    EXPLAIN_KEY,
    FAILOVER_HEADER,
    METADATA_NAMESPACE,
    MODEL_HEADER,
    OLD_CATEGORY_HEADER,
    OLD_CATEGORY_KEY,
    OLD_DECISION_HEADER,
    OLD_MODEL_HEADER,
    OLD_REASONING_HEADER,
    OLD_REASONING_KEY,
    SAVED_HEADER,
    UNDECIDED,
    VERSION_HEADER,
    VERSION_KEY,
)
from router_extproc.routing.failover import chain_name

#: Answer header to where its value comes from.
ANSWER_HEADERS = {
    MODEL_HEADER: f"%REQ({MODEL_HEADER})%",
    DECISION_HEADER: f"%REQ({DECISION_HEADER})%",
    SAVED_HEADER: f"%REQ({SAVED_HEADER})%",
    CACHE_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{CACHE_KEY})%",
    CACHE_STATUS_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{CACHE_STATUS_KEY})%",
    VERSION_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{VERSION_KEY})%",
    EXPLAIN_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{EXPLAIN_KEY})%",
}

#: Likewise of the headers of vLLM Semantic Router.
OLD_HEADERS = {
    OLD_MODEL_HEADER: f"%REQ({MODEL_HEADER})%",
    OLD_DECISION_HEADER: f"%REQ({DECISION_HEADER})%",
    OLD_CATEGORY_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{OLD_CATEGORY_KEY})%",
    OLD_REASONING_HEADER: f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{OLD_REASONING_KEY})%",
}

#: What a pool is made of is nobody's business; Envoy adds none (`listener.py`).
SERVER_HEADER = "server"


def virtual_host(config: Config) -> VirtualHost:
    """All domains, one route per pool, and the default route."""
    headers = answer_headers(config)
    return VirtualHost(
        name="router_extproc",
        domains=["*"],
        routes=routes(config),
        # The server removes it where it decides; a request that passes unread must not carry it either.
        request_headers_to_remove=[DEBUG_HEADER],
        response_headers_to_remove=[*headers, SERVER_HEADER],
        response_headers_to_add=[set_header(name, value) for name, value in headers.items()],
        typed_per_filter_config=cors_policy(config),
    )


def answer_headers(config: Config) -> Mapping[str, str]:
    """Answer header to where its value comes from, with those of another router where they are asked for."""
    return ANSWER_HEADERS if config.envoy.compatible_headers is None else {**ANSWER_HEADERS, **OLD_HEADERS}


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
    oversize = [_oversize(config, read) for read in read_paths(config.envoy.path_prefixes)]
    inference = [_inference(config, read, default) for read in read_paths(config.envoy.path_prefixes)]
    rest = _route(config, "everything else", RouteMatch(prefix="/"), default)
    rest.typed_per_filter_config = _without_us(config)
    failing_over = [_failing_over(config, chain) for chain in chains_of(config)]
    passing = [_model_list(config, default), *_grpc(config, default), rest]
    return [*failing_over, *chosen, *_nowhere(), *oversize, *inference, *passing]


def _model_list(config: Config, default: str) -> Route:
    """To the server, which answers; without it, the default pool does."""
    before = prefix_pattern(config.envoy.path_prefixes)
    methods = HeaderMatcher(
        name=":method", string_match=StringMatcher(safe_regex=RegexMatcher(regex="GET|HEAD"))
    )
    match = RouteMatch(safe_regex=RegexMatcher(regex=before + MODEL_LIST_PATH), headers=[methods])
    route = _route(config, "model list", match, default)
    if before and route.route is not None:
        route.route.regex_rewrite = ReadPaths("", (), OF_OTHER_PATHS, before=before).rewrite
    route.typed_per_filter_config = {} if config.envoy.profile == "inline" else {OBSERVE: _OFF}
    return route


def _failing_over(config: Config, chain: tuple[str, ...]) -> Route:
    """To the first pool of the chain, and on to the next when it does not begin to answer."""
    name = chain_name(chain)
    header = HeaderMatcher(name=FAILOVER_HEADER, string_match=StringMatcher(exact=name))
    route = _route(config, f"to {name}", RouteMatch(prefix="/", headers=[header]), chain[0])
    return with_failover(config, route, chain)


def _grpc(config: Config, default: str) -> Iterator[Route]:
    """Calls of gRPC, as far as the default pool is one of ours."""
    if default in config.envoy.clusters:
        match = RouteMatch(prefix="/", grpc=RouteMatchGrpcRouteMatchOptions())
        route = _route(config, "gRPC", match, default)
        if route.route is not None:
            route.route.cluster = default + GRPC_SUFFIX
        route.typed_per_filter_config = _without_us(config)
        yield route


def _inference(config: Config, read: ReadPaths, default: str) -> Route:
    """An inference request on its way in, and out again when it was not decided."""
    match = RouteMatch(safe_regex=read.pattern, headers=[_POST])
    if config.envoy.unread == "deny":
        route = _error(f"inference {read.name}", match, ROUTER_UNAVAILABLE, read.errors)
    else:
        route = _route(config, f"inference {read.name}", match, default)
        if route.route is not None:
            route.route.regex_rewrite = read.rewrite
        if read.falls_back:
            route = unread_with_failover(config, route)
    route.typed_per_filter_config = {BUFFER: _buffered(config)}
    return route


def _nowhere() -> Iterator[Route]:
    """Behind the routes of all pools: a cluster was named, and it is none of them.

    Without it such a request would go to the default pool, and its answer would pass for another model's: of
    a large request whose decision came too late, or of one whose pool another configuration knows.
    """
    named = HeaderMatcher(name=CLUSTER_HEADER, present_match=True)
    yield from _errors("undecided", _chosen(UNDECIDED), ROUTER_UNAVAILABLE)
    yield from _errors("unknown cluster", named, UNKNOWN_CLUSTER)


def _errors(name: str, named: HeaderMatcher, error: EnvoyError) -> Iterator[Route]:
    """The error in the form of each API that has one of its own."""
    for read in read_paths():
        if error.body(read.errors) != error.body():
            match = RouteMatch(safe_regex=read.pattern, headers=[named])
            yield _error(f"{name} {read.name}", match, error, read.errors)
    yield _error(name, RouteMatch(prefix="/", headers=[named]), error)


def _oversize(config: Config, read: ReadPaths) -> Route:
    announced = Int64Range(start=config.limits.max_body_bytes + 1, end=_INT64_MAX)
    length = HeaderMatcher(name="content-length", range_match=announced)
    match = RouteMatch(safe_regex=read.pattern, headers=[_POST, length])
    route = _error(f"too large {read.name}", match, TOO_LARGE, read.errors)
    route.typed_per_filter_config = _without_us(config)
    return route


def _error(name: str, match: RouteMatch, error: EnvoyError, errors: RendersErrors = OF_OTHER_PATHS) -> Route:
    response = direct(error, errors)
    return Route(
        name=name, match=match, direct_response=response, response_headers_to_add=error_headers(error)
    )


def _route(config: Config, name: str, match: RouteMatch, cluster: str) -> Route:
    pool = config.envoy.clusters.get(cluster)
    action = RouteAction(
        cluster=cluster,
        timeout=timedelta(0),
        idle_timeout=timedelta(seconds=config.envoy.stream_idle_timeout_s),
    )
    if match.prefix != "/" or match.headers:
        action.regex_rewrite = without_final_slash()
    if pool is not None and pool.tls:
        action.auto_host_rewrite = True
    action.retry_policy = retry_policy(config.envoy.traffic(cluster))
    return Route(name=name, match=match, route=action)


def _chosen(cluster: str) -> HeaderMatcher:
    return HeaderMatcher(name=CLUSTER_HEADER, string_match=StringMatcher(exact=cluster))


_INT64_MAX = 2**63 - 1
_POST = HeaderMatcher(name=":method", string_match=StringMatcher(exact="POST"))
_OFF = Packed.pack(FilterConfig(disabled=True))


def _buffered(config: Config) -> Packed:
    return Packed.pack(BufferPerRoute(buffer=Buffer(max_request_bytes=config.limits.max_body_bytes)))


def _without_us(config: Config) -> dict[str, Packed]:
    return dict.fromkeys(_deciding_filters(config), _OFF)


def _deciding_filters(config: Config) -> tuple[str, ...]:
    return (INLINE,) if config.envoy.profile == "inline" else (DECIDE, OBSERVE)
