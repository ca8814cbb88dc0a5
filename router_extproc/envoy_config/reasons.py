"""Why each value of the rendered configuration is what it is; written above it as a comment.

Every number, and every switch that differs from Envoy's default, has its reason here, keyed by the end of
its path (list items count by their name).
"""

from __future__ import annotations

from router_extproc.envoy_config.guard_reasons import GUARDS
from router_extproc.envoy_config.names import BUFFER, DECIDE, INLINE, OBSERVE, SERVER_CLUSTER
from router_extproc.envoy_config.pool_reasons import POOL_REASONS
from router_extproc.envoy_config.yaml_text import Reasons

_FAIL_OPEN = "Without the server a request goes on to the default pool, unread."
_MESSAGE_TIMEOUT = (
    "limits.message_timeout_s. Envoy waits this long for each reply, then goes on without us; the "
    "server's own budgets end sooner."
)
_MAX_MESSAGE_TIMEOUT = (
    "semantic_cache.coalescing.wait_s (or hide_timing_max_s) and the above. A request that waits for the "
    "answer to an equal one, or whose hit is held back, asks for so much more time."
)
_STATS = "Counters of this filter: http.clients.ext_proc.<stat_prefix>.*"
_OVERRIDE = "The server asks for the body of the requests it wants to read; nothing else is buffered."
_WRITES = "Where the server may write: the observer's token, and what the answer's headers say."

#: The observing filter inside its matcher.
_OBSERVER = f"{OBSERVE}.typed_config.extension_config.typed_config"

_MANAGER = {
    "key_matcher.safe_regex": (
        "Every x-router- header but x-router-cache-feedback, a client's word about an answer; RE2 cannot say "
        "it shorter."
    ),
    "early_header_mutation_extensions": (
        "Runs before routing and before every filter: a client cannot choose a pool, or claim an "
        "identity, by sending our headers. (A virtual host's request_headers_to_remove comes too late.)"
    ),
    "local_reply_config": (
        "Errors that Envoy makes itself, as the error object that clients of the OpenAI API read; those "
        "of the server pass as they are."
    ),
    "access_log": (
        "What a client wrote is not logged: no body, no query, no header but the two ids, cut to their "
        "length. Model and decision are what the client was told or, before there was an answer, what the "
        "server told Envoy: answers from the cache never had the request headers."
    ),
}

_FILTERS = {
    f"http_filters.{BUFFER}": (
        "Waits for the whole body. An oversize body is a 413 as soon as it is too long, announced or "
        "not, with the server or without; a slow client holds no stream of the server. Off: the routes "
        "switch it on for inference requests only, so that uploads on other paths are never held."
    ),
    f"{BUFFER}.typed_config.max_request_bytes": "limits.max_body_bytes",
    f"http_filters.{DECIDE}": (
        "Reads the request: answers it from the cache, refuses it, or names its pool in x-router-cluster."
    ),
    "grpc_service.retry_policy": (
        "A worker that has just died refuses the connection: ask another one, at once, before giving up."
    ),
    "retry_policy.host_selection_retry_max_attempts": (
        "A dead worker has the fewest requests, so LEAST_REQUEST names it three times out of four: draw "
        "again until it is another one."
    ),
    f"{DECIDE}.typed_config.failure_mode_allow": _FAIL_OPEN,
    f"{DECIDE}.typed_config.message_timeout": _MESSAGE_TIMEOUT,
    f"{DECIDE}.typed_config.max_message_timeout": _MAX_MESSAGE_TIMEOUT,
    f"{DECIDE}.typed_config.allow_mode_override": _OVERRIDE,
    f"{DECIDE}.typed_config.stat_prefix": _STATS,
    f"{DECIDE}.typed_config.processing_mode": (
        "No body unless the server asks for it (then BUFFERED, the only mode in which the reply to a late "
        "body may still route). Answers never pass through this filter."
    ),
    f"{DECIDE}.typed_config.metadata_options": _WRITES,
    f"http_filters.{OBSERVE}": "Copies the answer to the server, for cache and metrics; nobody waits.",
    f"{OBSERVE}.typed_config.xds_matcher": (
        "Our own answers from the cache need no observer: a stream for each would halve the rate of hits."
    ),
    f"{_OBSERVER}.failure_mode_allow": "An answer is never lost because nobody could watch it.",
    f"{_OBSERVER}.stat_prefix": _STATS,
    f"{_OBSERVER}.metadata_options": (
        "Hands the write token on. Clients cannot write dynamic metadata, so they cannot forge one."
    ),
    f"{_OBSERVER}.deferred_close_timeout": (
        "How long after the answer's end its last chunks may take to reach a busy server, which closes "
        "the stream itself when it has them."
    ),
    f"http_filters.{INLINE}": (
        "Both in one filter, for gateways that allow only one. Each chunk of an answer waits for the "
        "server's reply, and an answer is cut off when the server dies: prefer the profile split."
    ),
    f"{INLINE}.typed_config.failure_mode_allow": _FAIL_OPEN,
    f"{INLINE}.typed_config.message_timeout": _MESSAGE_TIMEOUT,
    f"{INLINE}.typed_config.max_message_timeout": _MAX_MESSAGE_TIMEOUT,
    f"{INLINE}.typed_config.allow_mode_override": _OVERRIDE,
    f"{INLINE}.typed_config.stat_prefix": _STATS,
    f"{INLINE}.typed_config.metadata_options": _WRITES,
    "suppress_envoy_headers": "Pools and clients have no use for x-envoy-*.",
}

_ROUTES = {
    "virtual_hosts.router_extproc.routes": (
        "1. The pool that the server chose. Only the pools of the configuration can be named; a typo is "
        "refused when Envoy starts.\n"
        "2. The server chose a pool that this Envoy does not have: its configuration is another one.\n"
        "3. An inference request that announces a body over limits.max_body_bytes: refused at once, before "
        "the client sends it.\n"
        "4. An inference request on its way in, and out again when the server did not decide "
        "it: envoy.unread.\n"
        "5. Everything else, as far as router.paths lets it pass, meets none of our filters but that."
    ),
    "response_headers_to_remove": (
        "A pool's own values of these; ours are added afterwards. What a pool is made of is "
        "nobody's business."
    ),
    "route.timeout": "An answer may take as long as it takes.",
    "route.idle_timeout": "envoy.stream_idle_timeout_s",
    "typed_per_filter_config.router.buffer.buffer.max_request_bytes": "limits.max_body_bytes",
    "content-length.range_match": "More than limits.max_body_bytes.",
    "virtual_hosts.router_extproc.response_headers_to_add": (
        "What the client is told; absent when the server was away. On cache hits the server writes them "
        "itself."
    ),
}

_CLUSTERS = {
    "typed_per_filter_config.router.buffer": "See http_filters.",
    f"{SERVER_CLUSTER}.lb_policy": "One endpoint per worker; the least busy one takes the next exchange.",
    f"{SERVER_CLUSTER}.connect_timeout": (
        "The server is next door; longer than this it is not there. Requests go on without it."
    ),
    f"{SERVER_CLUSTER}.health_checks": (
        "A worker that is away or stuck costs each request message_timeout for three seconds, then "
        "nothing; one that comes back is used within a second. Without no_traffic_interval that would be "
        "a minute."
    ),
    f"{SERVER_CLUSTER}.common_lb_config": (
        "Panic routing off: with no healthy worker a request goes on at once instead of trying them all. No "
        "merge window: what a health check found holds now, not in a second."
    ),
    f"{SERVER_CLUSTER}.circuit_breakers": (
        "envoy.max_requests. Exchanges in flight, observed answers included; Envoy's default of 1024 "
        "fails under load."
    ),
    "http2_protocol_options.connection_keepalive": (
        "A frozen worker stops reading the answers it observes, and Envoy then holds the answers back. "
        "Two seconds without a ping's answer end its connection, and the answers go on."
    ),
    "circuit_breakers": "envoy.max_requests; Envoy's default of 1024 refuses requests under load.",
    "common_http_protocol_options.idle_timeout": (
        "vLLM closes an idle connection after 5 s; Envoy must do so first, or a request is lost now and "
        "then to a connection that is just closing."
    ),
    "connect_timeout": "A pool on the same network; Envoy's default, written down.",
    "dns_lookup_family": (
        "vLLM listens on 0.0.0.0 by default: of a name such as localhost the IPv6 address would refuse."
    ),
    "auto_host_rewrite": "A pool behind TLS is found by its own name.",
    "common_tls_context.validation_context": (
        "envoy.clusters.NAME.ca_file. The certificate must be valid for the pool's name."
    ),
}

_PROCESS = {
    "overload_manager": (
        "envoy.max_requests. More connections than requests that may be in flight are of no use; the rest "
        "is refused before it costs memory."
    ),
    "admin": "envoy.admin. Not rendered unless configured: it can stop Envoy. Never expose it.",
}

REASONS: Reasons = GUARDS | _MANAGER | _FILTERS | _ROUTES | _CLUSTERS | _PROCESS | POOL_REASONS
