"""A whole Envoy: one listener, its connection manager, the routes and all clusters.

An Envoy that exists already takes the fragments of `render.py` instead. The listener is safe to put in
front of clients nobody has met.
Source: http_connection_manager.proto; Envoy's guide for edge proxies.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.bootstrap.v3 import Admin, Bootstrap, BootstrapStaticResources
from envoy_data_plane.envoy.config.listener.v3 import Filter, FilterChain, Listener
from envoy_data_plane.envoy.config.overload.v3 import OverloadManager, ResourceMonitor
from envoy_data_plane.envoy.config.route.v3 import RouteConfiguration
from envoy_data_plane.envoy.extensions.filters.http.router.v3 import Router
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManager,
    HttpFilter,
)
from envoy_data_plane.envoy.extensions.resource_monitors.downstream_connections.v3 import (
    DownstreamConnectionsConfig,
)
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.model import Config
from router_extproc.envoy_config.access_log import access_log
from router_extproc.envoy_config.addresses import address
from router_extproc.envoy_config.clusters import grpc_clusters, pool_clusters, server_cluster
from router_extproc.envoy_config.filters import http_filters
from router_extproc.envoy_config.listener import guards
from router_extproc.envoy_config.routes import virtual_host
from router_extproc.envoy_config.tls import listener_tls


def bootstrap(config: Config) -> Bootstrap:
    """The configuration that `envoy -c` starts with."""
    whole = Bootstrap(
        static_resources=BootstrapStaticResources(
            listeners=[_listener(config)],
            clusters=[server_cluster(config), *pool_clusters(config), *grpc_clusters(config)],
        ),
        overload_manager=_overload_manager(config),
    )
    if config.envoy.admin is not None:
        whole.admin = Admin(address=address(config.envoy.admin))
    return whole


def _overload_manager(config: Config) -> OverloadManager:
    connections = DownstreamConnectionsConfig(max_active_downstream_connections=config.envoy.max_requests)
    monitor = ResourceMonitor(
        name="envoy.resource_monitors.global_downstream_max_connections",
        typed_config=Packed.pack(connections),
    )
    return OverloadManager(resource_monitors=[monitor])


def _listener(config: Config) -> Listener:
    manager = Filter(
        name="envoy.filters.network.http_connection_manager",
        typed_config=Packed.pack(_connection_manager(config)),
    )
    chain = FilterChain(filters=[manager])
    if config.envoy.tls is not None:
        chain.transport_socket = listener_tls(config.envoy.tls)
    return Listener(name="clients", address=address(config.envoy.listen), filter_chains=[chain])


def _connection_manager(config: Config) -> HttpConnectionManager:
    return HttpConnectionManager(
        stat_prefix="clients",
        **guards(config),
        access_log=[access_log()],
        route_config=RouteConfiguration(name="router_extproc", virtual_hosts=[virtual_host(config)]),
        http_filters=[*http_filters(config), _router()],
    )


def _router() -> HttpFilter:
    return HttpFilter(
        name="envoy.filters.http.router",
        typed_config=Packed.pack(Router(suppress_envoy_headers=True)),
    )
