"""Which requests may be sent to another endpoint: those that no endpoint has seen.

What a pool may have begun to generate is never asked again: it costs twice, and a tool may run twice.
Source: route_components.proto, RetryPolicy; Envoy's router filter, x-envoy-retry-on.
"""

from __future__ import annotations

from datetime import timedelta

from envoy_data_plane.envoy.config.route.v3 import (
    RetryPolicy,
    RetryPolicyRetryBackOff,
    RetryPolicyRetryHostPredicate,
)
from envoy_data_plane.envoy.extensions.retry.host.previous_hosts.v3 import PreviousHostsPredicate
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.config.pools import PoolTraffic

#: Each of these says that the request has not left.
UNSENT = "connect-failure,refused-stream,reset-before-request"
RETRY_BACK_OFF_S = 0.01
RETRY_BACK_OFF_MAX_S = 0.1
HOST_ATTEMPTS = 32


def retry_policy(pool: PoolTraffic) -> RetryPolicy | None:
    """The policy of every route to the pool; None: nothing is retried and nothing is timed."""
    if pool.retries is False and pool.first_byte_timeout_s is None:
        return None
    policy = RetryPolicy(num_retries=0)
    if pool.retries is not False:
        policy = _elsewhere(pool.retries.attempts)
    if pool.first_byte_timeout_s is not None:
        # Envoy drops this timeout as soon as the client has the first byte of the answer.
        policy.per_try_timeout = timedelta(seconds=pool.first_byte_timeout_s)
    return policy


def _elsewhere(attempts: int) -> RetryPolicy:
    other = RetryPolicyRetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts", typed_config=Packed.pack(PreviousHostsPredicate())
    )
    return RetryPolicy(
        retry_on=UNSENT,
        num_retries=attempts,
        retry_back_off=RetryPolicyRetryBackOff(
            base_interval=timedelta(seconds=RETRY_BACK_OFF_S),
            max_interval=timedelta(seconds=RETRY_BACK_OFF_MAX_S),
        ),
        retry_host_predicate=[other],
        host_selection_retry_max_attempts=HOST_ATTEMPTS,
    )
