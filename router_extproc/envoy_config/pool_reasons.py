"""Why the values of pools are what they are: health, retries, outliers, and what tells Envoys apart."""

from __future__ import annotations

from router_extproc.envoy_config.names import OBSERVE

POOL_REASONS = {
    "health_checks": (
        "envoy.clusters.*.health. An endpoint that is dead is taken out in 3 s, one that accepts and never "
        "answers in 12 s, and both are back a second after they answer. Without no_traffic_interval an idle "
        "pool is checked once a minute."
    ),
    "http_health_check.expected_statuses": (
        "Any answer below 500 is alive: 404 or 401 of a pool that has no /health must not take it away."
    ),
    "http_health_check.retriable_statuses": (
        "A 5xx counts as one failure; otherwise Envoy takes the endpoint out at the first one."
    ),
    "health_check_config.hostname": (
        "The name that requests use; Envoy's default is the cluster's, which servers behind names refuse."
    ),
    "common_lb_config": (
        "Panic routing off: an endpoint that is known to be dead is never tried. No merge window: what a "
        "health check found holds now, not in a second."
    ),
    "outlier_detection": (
        "envoy.clusters.*.outliers. For endpoints whose health checks pass and whose requests fail: five in "
        "a row, and only what is the endpoint's fault: connections that fail, and 502, 503, 504. A 500 may "
        "be one client's bad request."
    ),
    "outlier_detection.max_ejection_percent": (
        "At most half of a pool, so never its only endpoint: a pool that fails is still asked."
    ),
    "outlier_detection.successful_active_health_check_uneject_host": (
        "Its health checks pass all the time: they must not end an ejection."
    ),
    "route.retry_policy": (
        "envoy.clusters.*.retries. Only what no endpoint has seen goes to another one; generating twice "
        "costs twice."
    ),
    "route.retry_policy.host_selection_retry_max_attempts": (
        "A dead endpoint has the fewest requests, so LEAST_REQUEST names it again: draw until it is another "
        "one."
    ),
    "route.retry_policy.per_try_timeout": (
        "envoy.clusters.*.first_byte_timeout_s. Until the answer's headers; afterwards only the pause "
        "timeout holds."
    ),
    "headers_to_add": "When a client may try again: by then an endpoint that died has been taken out.",
    "initial_metadata": (
        "The filter's role, and the digest of the configuration that this file was rendered from: the server "
        "warns when it has another one."
    ),
    f"{OBSERVE}.typed_config.extension_config.typed_config.response_attributes": (
        "The cluster that answered: an answer is stored only under the model that made it. The details tell "
        "an answer of Envoy's own, for a pool that is down."
    ),
    "response_attributes": "The cluster that answered, and why Envoy answered itself if it did.",
}
