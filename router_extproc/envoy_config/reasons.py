"""Why each value of the rendered configuration is what it is; written above it as a comment.

Every number, and every switch that differs from Envoy's default, has its reason here, keyed by the end of
its path (list items count by their name).
"""

from __future__ import annotations

from router_extproc.envoy_config.guard_reasons import GUARDS
from router_extproc.envoy_config.names import (
    BUFFER,
    CORS,
    DECIDE,
    INLINE,
    OBSERVE,
    OTHER_PAGES,
    PAGES,
    SERVER_CLUSTER,
)
from router_extproc.envoy_config.pool_reasons import POOL_REASONS
from router_extproc.envoy_config.yaml_text import Reasons

_FAIL_OPEN = "Without the server a request passes to the default pool, unread."
_MESSAGE_TIMEOUT = (
    "limits.message_timeout_s. Envoy waits this long for each reply, then goes on without the server. The "
    "server's own budgets end sooner."
)
_MAX_MESSAGE_TIMEOUT = (
    "0.5 s for each MiB of limits.max_body_bytes, or semantic_cache.coalescing.wait_s (or hide_timing_max_s),"
    " plus the above. The server asks for more time when a body is large, when a request waits for the answer"
    " to an equal one, or when its hit is delayed."
)
_STATS = "Counters of this filter: http.clients.ext_proc.<stat_prefix>.*"
_OVERRIDE = "The server asks for the body of the requests that it reads; nothing else is buffered."
_WRITES = "The metadata that the server may write: the observer's token, and values for the answer's headers."

#: The observing filter inside its matcher.
_OBSERVER = f"{OBSERVE}.typed_config.extension_config.typed_config"

_MANAGER = {
    "key_matcher.safe_regex": (
        "Every x-router- header but x-router-cache-feedback, by which a client reports a wrong answer. RE2"
        " has no shorter form."
    ),
    "early_header_mutation_extensions": (
        "Mandatory. Runs before routing and before every filter: a client cannot choose a pool, or claim an "
        "identity, by sending our headers. (A virtual host's request_headers_to_remove comes too late.)"
    ),
    "local_reply_config": (
        "Gives errors of Envoy itself the error object that clients of the OpenAI API read. Errors of the"
        " server pass unchanged."
    ),
    "access_log": (
        "What a client wrote is not logged: no body, no query, no header but the two ids, cut to their"
        " length. Model and decision come from the answer's headers or, if there is no answer, from the"
        " request headers; requests that the cache answered never had the latter."
    ),
}

_CORS = {
    f"http_filters.{PAGES}": (
        "envoy.cors. Lets the pages that are allowed read every answer: the pool's, the cache's, and every"
        " error."
    ),
    f"http_filters.{CORS}": (
        "Answers preflight requests itself, after the filter above, whose matcher has to see the request."
    ),
    f"http_filters.{OTHER_PAGES}": "What a pool or the server says to pages is not passed on.",
    "typed_per_filter_config.router.cors.allow_methods": (
        'Envoy answers "*" with the method that the page asks for; so with the headers. A page is trusted or'
        " not: what it may send is for the pool to say."
    ),
    "typed_per_filter_config.router.cors.max_age": "Seconds for which a browser remembers the answer.",
    "typed_per_filter_config.router.cors.forward_not_matching_preflights": (
        "Other pages are told so here; a pool might allow them."
    ),
}

_FILTERS = {
    f"http_filters.{BUFFER}": (
        "Waits for the whole body. An oversize body gets a 413 as soon as it is too long, announced or"
        " not, with the server or without. A slow client holds no stream of the server. Off by default: the"
        " routes switch it on for inference requests only, so that uploads on other paths are not buffered."
    ),
    f"{BUFFER}.typed_config.max_request_bytes": "limits.max_body_bytes",
    f"http_filters.{DECIDE}": (
        "Reads the request: answers it from the cache, refuses it, or names its pool in x-router-cluster."
    ),
    "grpc_service.retry_policy": (
        "A worker that has just died refuses the connection: ask another one at once."
    ),
    "retry_policy.host_selection_retry_max_attempts": (
        "A dead worker has the fewest requests, so LEAST_REQUEST picks it three times out of four: pick"
        " again until it is another one."
    ),
    f"{DECIDE}.typed_config.failure_mode_allow": _FAIL_OPEN,
    f"{DECIDE}.typed_config.message_timeout": _MESSAGE_TIMEOUT,
    f"{DECIDE}.typed_config.max_message_timeout": _MAX_MESSAGE_TIMEOUT,
    f"{DECIDE}.typed_config.allow_mode_override": _OVERRIDE,
    f"{DECIDE}.typed_config.stat_prefix": _STATS,
    f"{DECIDE}.typed_config.processing_mode": (
        "No body unless the server asks for it (then BUFFERED, the only mode in which the reply to a late"
        " body can still set the route). Answers never pass through this filter."
    ),
    f"{DECIDE}.typed_config.metadata_options": _WRITES,
    f"http_filters.{OBSERVE}": "Copies the answer to the server, for cache and metrics; nobody waits.",
    f"{OBSERVE}.typed_config.xds_matcher": (
        "Answers from the cache need no observer: a stream for each would halve the rate of hits."
    ),
    f"{_OBSERVER}.failure_mode_allow": "An answer is never lost because it could not be observed.",
    f"{_OBSERVER}.stat_prefix": _STATS,
    f"{_OBSERVER}.metadata_options": (
        "Forwards the write token. Clients cannot write dynamic metadata, so they cannot forge one."
    ),
    f"{_OBSERVER}.deferred_close_timeout": (
        "How long the last chunks of an answer may take to reach a busy server, which closes the stream"
        " itself when it has them."
    ),
    f"http_filters.{INLINE}": (
        "Both in one filter, for gateways that allow only one. Each chunk of an answer waits for the"
        " server's reply, and an answer is cut off when the server dies: prefer the profile split."
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
        "1. The pool that the server chose. Only the pools of the configuration exist here; a typo is"
        " refused when Envoy starts.\n2. The server chose a pool that this Envoy does not have: it has"
        " another configuration.\n3. An inference request that announces a body over limits.max_body_bytes:"
        " refused at once, before the client sends it.\n4. An inference request on its way in, and where it"
        " goes when the server did not decide it: envoy.unread.\n5. Everything else that router.paths lets"
        " pass; the other filters are off."
    ),
    "response_headers_to_remove": (
        "A pool's own values of these headers; ours are added afterwards. What software a pool runs is not "
        "revealed."
    ),
    "route.timeout": "An answer may take any time; stream_idle_timeout bounds its pauses.",
    "route.idle_timeout": "envoy.stream_idle_timeout_s",
    "typed_per_filter_config.router.buffer.buffer.max_request_bytes": "limits.max_body_bytes",
    "content-length.range_match": "More than limits.max_body_bytes.",
    "virtual_hosts.router_extproc.response_headers_to_add": (
        "Tells the client what was decided; absent when the server was away. On cache hits the server"
        " writes them itself."
    ),
}

_CLUSTERS = {
    "typed_per_filter_config.router.buffer": "See http_filters.",
    f"{SERVER_CLUSTER}.lb_policy": "One endpoint for each worker; the least busy one gets the next exchange.",
    f"{SERVER_CLUSTER}.connect_timeout": (
        "The server is near: if it takes longer than this, it is away, and requests pass without it."
    ),
    f"{SERVER_CLUSTER}.health_checks": (
        "A worker that is away or stuck costs each request message_timeout for three seconds, then"
        " nothing. One that is back is used within a second; without no_traffic_interval that would take a"
        " minute."
    ),
    f"{SERVER_CLUSTER}.common_lb_config": (
        "Panic routing off: with no healthy worker a request passes at once instead of trying them all. No"
        " merge window: a health check's result applies at once, not a second later."
    ),
    f"{SERVER_CLUSTER}.circuit_breakers": (
        "envoy.max_requests. Exchanges in flight, observed answers included; Envoy's default of 1024 fails"
        " requests under load."
    ),
    "http2_protocol_options.connection_keepalive": (
        "A frozen worker stops reading the answers that it observes, and Envoy then stops sending them to"
        " clients. Two seconds without an answer to a ping end the connection, and the answers continue."
    ),
    "circuit_breakers": "envoy.max_requests; Envoy's default of 1024 refuses requests under load.",
    "common_http_protocol_options.idle_timeout": (
        "vLLM closes an idle connection after 5 s. Envoy must do so first, or now and then a request is"
        " lost on a connection that is just closing."
    ),
    "connect_timeout": "For a pool on the same network; Envoy's default, made explicit.",
    "dns_lookup_family": (
        "vLLM listens on 0.0.0.0 by default, so the IPv6 address of a name such as localhost would refuse."
    ),
    "auto_host_rewrite": "A pool behind TLS expects its own name in the Host header.",
    "common_tls_context.validation_context": (
        "envoy.clusters.NAME.ca_file. The certificate must be valid for the pool's name."
    ),
}

_PROCESS = {
    "overload_manager": (
        "envoy.max_requests. More connections than requests in flight are useless; further ones are"
        " refused before they cost memory."
    ),
    "admin": "envoy.admin. Not rendered unless configured: it can stop Envoy. Never expose it.",
}

REASONS: Reasons = GUARDS | _MANAGER | _CORS | _FILTERS | _ROUTES | _CLUSTERS | _PROCESS | POOL_REASONS
