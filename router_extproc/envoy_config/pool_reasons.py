"""Why the values of pools are what they are: health, retries, outliers, and what tells Envoys apart."""

from __future__ import annotations

from router_extproc.envoy_config.names import OBSERVE, POOL, RETRY

POOL_REASONS = {
    "health_checks": (
        "envoy.clusters.*.health. A dead endpoint is ejected in 3 s, one that accepts and never answers in"
        " 12 s; both are back a second after they answer again. Without no_traffic_interval an idle pool is"
        " checked once a minute."
    ),
    "http_health_check.expected_statuses": (
        "Any answer below 500 means healthy: a pool without /health answers 404 or 401 and must stay in use."
    ),
    "http_health_check.retriable_statuses": (
        "A 5xx counts as one failure; otherwise Envoy ejects the endpoint at the first one."
    ),
    "health_check_config.hostname": (
        "The name that requests use. Envoy's default is the cluster's name, which name-based servers refuse."
    ),
    "common_lb_config": (
        "Panic routing off: an endpoint that is known to be dead is never tried. No merge window: a health"
        " check's result applies at once, not a second later."
    ),
    "outlier_detection": (
        "envoy.clusters.*.outliers. For endpoints whose health checks pass and whose requests fail: five"
        " in a row. Only the endpoint's own failures count: failed connections, 502, 503, 504. A 500 may be"
        " one client's bad request."
    ),
    "outlier_detection.max_ejection_percent": (
        "At most half of a pool, so never its only endpoint: a failing pool is still tried."
    ),
    "outlier_detection.successful_active_health_check_uneject_host": (
        "Health checks of such an endpoint pass all the time, so they must not end its ejection."
    ),
    "route.retry_policy": (
        "envoy.clusters.*.retries: only requests that no endpoint has seen are retried at another one, for"
        " generating twice costs twice. On a route to several pools, failover.on: the next pool is asked."
    ),
    "route.retry_policy.host_selection_retry_max_attempts": (
        "A dead endpoint has the fewest requests, so LEAST_REQUEST picks it again: pick until it is"
        " another one."
    ),
    "route.retry_policy.per_try_timeout": (
        "first_byte_timeout_s of the pool or of all pools. Until the answer's headers; afterwards only"
        " stream_idle_timeout applies."
    ),
    f"http_filters.{POOL}": (
        "Names the pool that is really asked: Envoy passes over one without a healthy endpoint, and takes the"
        " next one with each retry."
    ),
    f"http_filters.{RETRY}": (
        "The server writes the request anew when the pool is not the one that the body is for. Nothing is"
        " asked of it otherwise, so fail-over costs nothing while nothing fails."
    ),
    f"{RETRY}.typed_config.extension_config.typed_config.message_timeout": (
        "limits.message_timeout_s. failure_mode_allow is off: a body for another model would get an answer"
        " under the wrong name."
    ),
    "metadata.filter_metadata": "Whose endpoint it is, for router.pool.",
    "request_body_buffer_limit": (
        "limits.max_body_bytes, and what the server adds: Envoy keeps the body for the next attempt."
    ),
    "headers_to_add": (
        "An error says nothing of anybody, so any page in a browser may read it. retry-after: by then a dead"
        " endpoint has been ejected."
    ),
    "initial_metadata": (
        "The filter's role, and the digest of the configuration that this file was rendered from. The"
        " server warns if its own differs."
    ),
    f"{OBSERVE}.typed_config.extension_config.typed_config.response_attributes": (
        "The cluster that answered, because an answer is stored only under the model that made it. The"
        " details reveal an answer by Envoy itself, for a pool that is down."
    ),
    "response_attributes": "The cluster that answered, and why Envoy answered itself if it did.",
}
