"""How Envoy finds out that an endpoint of a pool is dead, hanging or failing.

Active checks find what does not answer; outlier detection finds what answers the checks and fails the
requests. Source: health_check.proto; outlier_detection.proto; endpoint_components.proto.
"""

from __future__ import annotations

from datetime import timedelta

from envoy_data_plane.envoy.config.cluster.v3 import Cluster, ClusterCommonLbConfig, OutlierDetection
from envoy_data_plane.envoy.config.core.v3 import HealthCheck, HealthCheckHttpHealthCheck
from envoy_data_plane.envoy.config.endpoint.v3 import EndpointHealthCheckConfig
from envoy_data_plane.envoy.type.v3 import Int64Range, Percent

from router_extproc.address import read_tcp
from router_extproc.config.envoy import EnvoyCluster
from router_extproc.config.pools import FAILED_STATUS_MIN, PoolHealth

OUTLIER_FAILURES = 5
OUTLIER_EJECTED_S = 10
OUTLIER_EJECTED_MAX_S = 60
OUTLIER_SWEEP_S = 5
OUTLIER_SHARE_MAX_PERCENT = 50


def watch(cluster: Cluster, pool: EnvoyCluster) -> None:
    """Add to a pool's cluster what its configuration asks for."""
    cluster.common_lb_config = ClusterCommonLbConfig(
        healthy_panic_threshold=Percent(value=0), update_merge_window=timedelta(0)
    )
    if pool.health is not False:
        cluster.health_checks = [_active(pool.health)]
        _name_endpoints(cluster, pool)
    if pool.outliers:
        cluster.outlier_detection = _outliers()


def _active(health: PoolHealth) -> HealthCheck:
    every = timedelta(seconds=health.interval_s)
    alive = Int64Range(start=200, end=FAILED_STATUS_MIN)
    failing = Int64Range(start=FAILED_STATUS_MIN, end=600)
    return HealthCheck(
        timeout=timedelta(seconds=health.timeout_s),
        interval=every,
        no_traffic_interval=every,
        unhealthy_threshold=health.unhealthy_threshold,
        healthy_threshold=health.healthy_threshold,
        http_health_check=HealthCheckHttpHealthCheck(
            path=health.path, expected_statuses=[alive], retriable_statuses=[failing]
        ),
    )


def _name_endpoints(cluster: Cluster, pool: EnvoyCluster) -> None:
    """Each check asks for its endpoint's own name, as a request does; Envoy's default is the cluster's."""
    if cluster.load_assignment is None:
        return
    members = (member for group in cluster.load_assignment.endpoints for member in group.lb_endpoints)
    for member, address in zip(members, pool.endpoints, strict=True):
        if member.endpoint is not None:
            host = read_tcp(address).host if pool.tls else address
            member.endpoint.health_check_config = EndpointHealthCheckConfig(hostname=host)


def _outliers() -> OutlierDetection:
    return OutlierDetection(
        consecutive_local_origin_failure=OUTLIER_FAILURES,
        consecutive_gateway_failure=OUTLIER_FAILURES,
        enforcing_consecutive_gateway_failure=100,
        enforcing_consecutive_5xx=0,
        enforcing_success_rate=0,
        enforcing_local_origin_success_rate=0,
        split_external_local_origin_errors=True,
        interval=timedelta(seconds=OUTLIER_SWEEP_S),
        base_ejection_time=timedelta(seconds=OUTLIER_EJECTED_S),
        max_ejection_time=timedelta(seconds=OUTLIER_EJECTED_MAX_S),
        max_ejection_percent=OUTLIER_SHARE_MAX_PERCENT,
        successful_active_health_check_uneject_host=False,
    )
