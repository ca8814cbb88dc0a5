"""Fail-over: what Envoy does when a pool does not begin to answer.

A route leads to a composite cluster: Envoy takes its first pool with a healthy endpoint, and the next one
with each retry. Two filters in front of every attempt keep the body with its pool: the first names the pool
that is really asked, the second has the server write the request anew unless the body is for that one. What
nobody decided has the client's own body, which is the same for every pool: an aggregate cluster.
Source: composite/v3/cluster.proto; aggregate/v3/cluster.proto; route_components.proto, RetryPolicy.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from envoy_data_plane.envoy.config.cluster.v3 import (
    CircuitBreakers,
    Cluster,
    ClusterCustomClusterType,
    ClusterLbPolicy,
)
from envoy_data_plane.envoy.config.common.mutation_rules.v3 import HeaderMutation
from envoy_data_plane.envoy.config.core.v3 import Http1ProtocolOptions, Metadata
from envoy_data_plane.envoy.config.route.v3 import (
    RetryPolicy,
    RetryPolicyRetryBackOff,
    RetryPolicyRetryPriority,
    Route,
)
from envoy_data_plane.envoy.extensions.clusters.aggregate.v3 import ClusterConfig as Aggregate
from envoy_data_plane.envoy.extensions.clusters.composite.v3 import ClusterConfig as Composite
from envoy_data_plane.envoy.extensions.clusters.composite.v3 import ClusterConfigClusterEntry
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ExternalProcessor,
    MetadataOptions,
    MetadataOptionsMetadataNamespaces,
    ProcessingMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeBodySendMode as BodyMode,
)
from envoy_data_plane.envoy.extensions.filters.http.ext_proc.v3 import (
    ProcessingModeHeaderSendMode as HeaderMode,
)
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import (
    HeaderMutation as HeaderMutationFilter,
)
from envoy_data_plane.envoy.extensions.filters.http.header_mutation.v3 import Mutations
from envoy_data_plane.envoy.extensions.filters.http.upstream_codec.v3 import UpstreamCodec
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import HttpFilter
from envoy_data_plane.envoy.extensions.retry.priority.previous_priorities.v3 import PreviousPrioritiesConfig
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import HttpProtocolOptions as UpstreamProtocol
from envoy_data_plane.envoy.extensions.upstreams.http.v3 import (
    HttpProtocolOptionsExplicitHttpConfig as Explicit,
)
from envoy_data_plane.envoy.type.matcher.v3 import HttpRequestHeaderMatchInput
from envoy_data_plane.envoy.type.v3 import HttpStatus, StatusCode
from envoy_data_plane.google.protobuf import Any as Packed
from envoy_data_plane.google.protobuf import Struct, Value
from envoy_data_plane.xds.core.v3 import TypedExtensionConfig as XdsExtension
from envoy_data_plane.xds.type.matcher.v3 import StringMatcher as XdsStringMatcher

from router_extproc.config.failover import Failover, Reason, chains_of, default_chain
from router_extproc.config.model import Config
from router_extproc.envoy_config.filters import grpc_service, unless
from router_extproc.envoy_config.header_values import set_header
from router_extproc.envoy_config.names import POOL, RETRY
from router_extproc.envoy_config.retries import RETRY_BACK_OFF_MAX_S, RETRY_BACK_OFF_S, UNSENT
from router_extproc.pipeline.bodies import read_time_s
from router_extproc.protocol.exchange import EDITED_BYTES_MAX
from router_extproc.protocol.names import CLUSTER_HEADER, FAILOVER_HEADER, METADATA_NAMESPACE
from router_extproc.routing.failover import chain_name

#: The member of an endpoint's metadata that names its pool.
_POOL_KEY: Final = "cluster"
#: What a cluster of pools is asked to do about connections: nothing, they are the pools'.
_UNUSED_CONNECT_S: Final = 5

_RETRY_ON: Final[dict[Reason, str]] = {
    "refused": UNSENT,
    "rate_limited": "retriable-status-codes",
    "failed": "5xx",
}
_TOO_MANY_REQUESTS: Final = 429


# ── clusters ──────────────────────────────────────────────────────────────────────────────────


def failover_clusters(config: Config, breakers: CircuitBreakers) -> list[Cluster]:
    """One for each order of pools, and one for what nobody decided."""
    chains = [_composite(config, chain, breakers) for chain in chains_of(config)]
    default = default_chain(config)
    return [*chains, _aggregate(default, breakers)] if len(default) > 1 else chains


def unread_name(chain: Sequence[str]) -> str:
    """The cluster of what nobody decided: the pool itself, if it is alone."""
    return chain[0] if len(chain) == 1 else f"unread>{chain_name(chain)}"


def name_pool(cluster: Cluster) -> None:
    """Each endpoint says whose it is, for the filters of an attempt."""
    named = Struct(fields={_POOL_KEY: Value(string_value=cluster.name)})
    groups = [] if cluster.load_assignment is None else cluster.load_assignment.endpoints
    for member in (each for group in groups for each in group.lb_endpoints):
        member.metadata = Metadata(filter_metadata={METADATA_NAMESPACE: named})


def _composite(config: Config, chain: Sequence[str], breakers: CircuitBreakers) -> Cluster:
    pools = Composite(clusters=[ClusterConfigClusterEntry(name=name) for name in chain])
    cluster = _of_pools(chain_name(chain), "envoy.clusters.composite", Packed.pack(pools), breakers)
    protocol = UpstreamProtocol(
        explicit_http_config=Explicit(http_protocol_options=Http1ProtocolOptions()),
        http_filters=[_name_pool(), _write_anew(config, chain[0]), _codec()],
    )
    cluster.typed_extension_protocol_options = {
        "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": Packed.pack(protocol)
    }
    return cluster


def _aggregate(chain: Sequence[str], breakers: CircuitBreakers) -> Cluster:
    pools = Packed.pack(Aggregate(clusters=list(chain)))
    return _of_pools(unread_name(chain), "envoy.clusters.aggregate", pools, breakers)


def _of_pools(name: str, kind: str, config: Packed, breakers: CircuitBreakers) -> Cluster:
    return Cluster(
        name=name,
        cluster_type=ClusterCustomClusterType(name=kind, typed_config=config),
        lb_policy=ClusterLbPolicy.CLUSTER_PROVIDED,
        connect_timeout=timedelta(seconds=_UNUSED_CONNECT_S),
        circuit_breakers=breakers,
    )


# ── filters of an attempt ─────────────────────────────────────────────────────────────────────


def _name_pool() -> HttpFilter:
    pool = set_header(CLUSTER_HEADER, f"%UPSTREAM_METADATA({METADATA_NAMESPACE}:{_POOL_KEY})%")
    changes = [HeaderMutation(append=pool), HeaderMutation(remove=FAILOVER_HEADER)]
    mutations = HeaderMutationFilter(mutations=Mutations(request_mutations=changes))
    return HttpFilter(name=POOL, typed_config=Packed.pack(mutations))


def _write_anew(config: Config, first: str) -> HttpFilter:
    """The server's, skipped where the pool is the one for which the body was written."""
    asked = Packed.pack(HttpRequestHeaderMatchInput(header_name=CLUSTER_HEADER))
    read = XdsExtension(name=CLUSTER_HEADER, typed_config=asked)
    matched = unless(_processor(config), read, XdsStringMatcher(exact=first))
    return HttpFilter(name=RETRY, typed_config=Packed.pack(matched))


def _processor(config: Config) -> ExternalProcessor:
    namespace = MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])
    return ExternalProcessor(
        grpc_service=grpc_service(config, "retry"),
        stat_prefix="retry",
        failure_mode_allow=False,
        status_on_error=HttpStatus(code=StatusCode.ServiceUnavailable),
        # Nothing passes without the reply, so there is time for the longest body.
        message_timeout=timedelta(
            seconds=config.limits.message_timeout_s + read_time_s(config.limits.max_body_bytes)
        ),
        processing_mode=ProcessingMode(
            request_header_mode=HeaderMode.SEND,
            response_header_mode=HeaderMode.SKIP,
            request_body_mode=BodyMode.BUFFERED,
            response_body_mode=BodyMode.NONE,
        ),
        metadata_options=MetadataOptions(receiving_namespaces=namespace, forwarding_namespaces=namespace),
    )


def _codec() -> HttpFilter:
    return HttpFilter(name="envoy.filters.http.upstream_codec", typed_config=Packed.pack(UpstreamCodec()))


# ── routes ────────────────────────────────────────────────────────────────────────────────────


def with_failover(config: Config, route: Route, chain: Sequence[str]) -> Route:
    """The route to the first pool of the chain as one to the whole chain."""
    if config.failover is not False and route.route is not None:
        _lead(config, route, chain_name(chain), chain)
        route.route.retry_policy = failover_policy(config, config.failover, chain)
    return route


def unread_with_failover(config: Config, route: Route) -> Route:
    """The route to the default pool as one to it and to its fallbacks."""
    chain = default_chain(config)
    if len(chain) > 1 and config.failover is not False and route.route is not None:
        _lead(config, route, unread_name(chain), chain)
        route.route.retry_policy = unread_policy(config, config.failover, chain)
    return route


def _lead(config: Config, route: Route, cluster: str, chain: Sequence[str]) -> None:
    action = route.route
    if action is not None:
        action.cluster = cluster
        if any(config.envoy.clusters[name].tls for name in chain):
            action.auto_host_rewrite = True
        # Envoy drops a body that it cannot keep for another attempt, and the request with it.
        route.request_body_buffer_limit = config.limits.max_body_bytes + EDITED_BYTES_MAX


# ── retries ───────────────────────────────────────────────────────────────────────────────────


def failover_policy(config: Config, failover: Failover, chain: Sequence[str]) -> RetryPolicy:
    """When the next pool of the chain is asked, and for how long each may be silent."""
    policy = RetryPolicy(
        retry_on=",".join(_RETRY_ON[reason] for reason in dict.fromkeys(failover.on)),
        num_retries=min(len(chain), failover.attempts_max) - 1,
        retry_back_off=RetryPolicyRetryBackOff(
            base_interval=timedelta(seconds=RETRY_BACK_OFF_S),
            max_interval=timedelta(seconds=RETRY_BACK_OFF_MAX_S),
        ),
    )
    if "rate_limited" in failover.on:
        policy.retriable_status_codes = [_TOO_MANY_REQUESTS]
    first_byte_s = _first_byte_timeout_s(config, failover, chain)
    if first_byte_s is not None:
        policy.per_try_timeout = timedelta(seconds=first_byte_s)
    return policy


def unread_policy(config: Config, failover: Failover, chain: Sequence[str]) -> RetryPolicy:
    """The same for what nobody decided: never a pool that was asked before."""
    policy = failover_policy(config, failover, chain)
    policy.retry_priority = RetryPolicyRetryPriority(
        name="envoy.retry_priorities.previous_priorities",
        typed_config=Packed.pack(PreviousPrioritiesConfig(update_frequency=1)),
    )
    return policy


def _first_byte_timeout_s(config: Config, failover: Failover, chain: Sequence[str]) -> float | None:
    if failover.first_byte_timeout_s is not None:
        return failover.first_byte_timeout_s
    own = [config.envoy.traffic(name).first_byte_timeout_s for name in chain]
    known = [seconds for seconds in own if seconds is not None]
    return max(known) if len(known) == len(own) else None
