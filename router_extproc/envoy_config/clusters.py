"""The cluster of the gRPC server, and (for the bootstrap) those of the pools.

A pool of several replicas is one cluster with several endpoints. No Envoy default that fails under load
is left in place.
Source: cluster.proto, circuit_breaker.proto, health_check.proto.
"""

from __future__ import annotations

from datetime import timedelta

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    CircuitBreakersThresholds,
    Cluster,
    ClusterCommonLbConfig,
    ClusterDnsLookupFamily,
    ClusterLbPolicy,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HealthCheck,
    HealthCheckGrpcHealthCheck,
    Http1ProtocolOptions,
    Http2ProtocolOptions,
    HttpProtocolOptions,
    KeepaliveSettings,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptions as UpstreamProtocol,
)
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptionsExplicitHttpConfig as Explicit,
)
from envoy_data_plane.envoy.type.v3 import Percent
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.failover import chains_of
from router_extproc.config.model import Config
from router_extproc.envoy_config.addresses import discovery_type, endpoints
from router_extproc.envoy_config.failover import failover_clusters, name_pool
from router_extproc.envoy_config.names import GRPC_SUFFIX, SERVER_CLUSTER
from router_extproc.envoy_config.pool_health import watch
from router_extproc.envoy_config.tls import pool_tls, server_tls

SERVER_CONNECT_S = 0.25
HEALTH_INTERVAL_S = 1
HEALTH_FAILURES = 2
PING_S = 1
POOL_CONNECT_S = 5
POOL_KEEPALIVE_S = 4


def server_cluster(config: Config) -> Cluster:
    """The workers of the gRPC server, one endpoint each."""
    addresses = config.envoy.server or config.worker_addresses()
    cluster = Cluster(
        name=SERVER_CLUSTER,
        type=discovery_type(addresses),
        lb_policy=ClusterLbPolicy.LEAST_REQUEST,
        connect_timeout=timedelta(seconds=SERVER_CONNECT_S),
        load_assignment=endpoints(SERVER_CLUSTER, addresses),
        health_checks=[_grpc_health()],
        common_lb_config=ClusterCommonLbConfig(
            healthy_panic_threshold=Percent(value=0), update_merge_window=timedelta(0)
        ),
        circuit_breakers=_breakers(config),
        typed_extension_protocol_options=_protocol(
            UpstreamProtocol(explicit_http_config=Explicit(http2_protocol_options=_http2()))
        ),
    )
    if config.envoy.server_tls is not None:
        cluster.transport_socket = server_tls(config.envoy.server_tls, addresses)
    return cluster


def pool_clusters(config: Config) -> list[Cluster]:
    """The pools that the configuration lists, in its order, and those that are made of several."""
    pools = [_pool(config, name, pool) for name, pool in config.envoy.clusters.items()]
    return [*pools, *failover_clusters(config, _breakers(config))]


def grpc_clusters(config: Config) -> list[Cluster]:
    """The default pool once more, for gRPC calls; none where somebody else writes its cluster."""
    name = config.models[config.default_model].cluster
    pool = config.envoy.clusters.get(name)
    if pool is None:
        return []
    cluster = _pool(config, name, pool)
    cluster.name = name + GRPC_SUFFIX
    cluster.load_assignment = endpoints(cluster.name, pool.endpoints)
    # The pool itself is watched; what serves gRPC need not answer its checks.
    cluster.health_checks, cluster.outlier_detection = [], None
    cluster.typed_extension_protocol_options = _protocol(
        UpstreamProtocol(explicit_http_config=Explicit(http2_protocol_options=Http2ProtocolOptions()))
    )
    return [cluster]


def _pool(config: Config, name: str, pool: EnvoyCluster) -> Cluster:
    cluster = Cluster(
        name=name,
        type=discovery_type(pool.endpoints),
        dns_lookup_family=ClusterDnsLookupFamily.V4_PREFERRED,
        lb_policy=ClusterLbPolicy.LEAST_REQUEST,
        connect_timeout=timedelta(seconds=POOL_CONNECT_S),
        load_assignment=endpoints(name, pool.endpoints),
        circuit_breakers=_breakers(config),
        typed_extension_protocol_options=_protocol(
            UpstreamProtocol(
                common_http_protocol_options=HttpProtocolOptions(
                    idle_timeout=timedelta(seconds=POOL_KEEPALIVE_S)
                ),
                explicit_http_config=Explicit(http_protocol_options=Http1ProtocolOptions()),
            )
        ),
    )
    if pool.tls:
        cluster.transport_socket = pool_tls(pool.ca_file, pool.endpoints)
    watch(cluster, pool)
    if any(name in chain for chain in chains_of(config)):
        name_pool(cluster)
    return cluster


def _protocol(options: UpstreamProtocol) -> dict[str, Packed]:
    return {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": Packed.pack(options)}


def _breakers(config: Config) -> CircuitBreakers:
    most = config.envoy.max_requests
    thresholds = CircuitBreakersThresholds(
        max_connections=most, max_pending_requests=most, max_requests=most, max_retries=most
    )
    return CircuitBreakers(thresholds=[thresholds])


def _grpc_health() -> HealthCheck:
    every = timedelta(seconds=HEALTH_INTERVAL_S)
    return HealthCheck(
        timeout=every,
        interval=every,
        no_traffic_interval=every,
        unhealthy_threshold=HEALTH_FAILURES,
        healthy_threshold=1,
        grpc_health_check=HealthCheckGrpcHealthCheck(),
    )


def _http2() -> Http2ProtocolOptions:
    ping = timedelta(seconds=PING_S)
    return Http2ProtocolOptions(connection_keepalive=KeepaliveSettings(interval=ping, timeout=ping))
