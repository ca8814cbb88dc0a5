"""Why paths are spelled and refused as they are, and why the listener has its limits and its TLS."""

from __future__ import annotations

from typing import Final

from router_extproc.envoy_config.names import PATHS, REQUEST_ID, SERVER_CLUSTER
from router_extproc.envoy_config.paths import AMBIGUOUS, OPERATOR, OTHER, UNREAD
from router_extproc.envoy_config.pool_paths import INFERENCE_WORDS, OPERATOR_PATHS

_NORMALISED = (
    "The next three are mandatory. Servers decode a path before they compare it, routes do not: without them "
    "/v1/chat/%63ompletions, //v1/..., /x/../v1/... reach a pool unread, past every decision."
)

_PATHS: Final = {
    "normalize_path": _NORMALISED,
    f"http_filters.{PATHS}": (
        "Mandatory: decides which paths may reach a pool. A path that is still ambiguous gets a 400, one"
        " that envoy.other_paths denies a 403. Counters: http.clients.rbac.* by policy."
    ),
    f"{PATHS}.typed_config.rules.policies.{AMBIGUOUS}": (
        "A path parameter (;), an incomplete escape, escapes that some servers decode twice or cut the"
        " path at, and an inference path in other case or with a space, a dot, ... appended."
    ),
    f"{PATHS}.typed_config.rules.policies.{OPERATOR}": "\n".join(
        ["envoy.other_paths: pass. Operator paths of vLLM:"]
        + [f"{' '.join(f'{path}*' for path in paths)}: {reason}." for reason, paths in OPERATOR_PATHS]
    ),
    f"{PATHS}.typed_config.rules.policies.{OTHER}": (
        "envoy.other_paths. Only inference requests and these paths reach a pool."
    ),
    f"{PATHS}.typed_config.shadow_rules.policies.{UNREAD}{next(iter(INFERENCE_WORDS))}": (
        "Only counts: a POST that seems to ask a model and reaches a pool unread, because no dialect has"
        " its path (http.clients.rbac.router_unread.shadow_denied, and by what the path holds)."
    ),
    "regex_rewrite": "A trailing slash is ignored; the pool would redirect the client.",
}

_LIMITS: Final = {
    "common_http_protocol_options.max_headers_count": (
        "Mandatory. Envoy also counts headers that the server adds, and answers too many with an empty"
        " 500. The server refuses requests that leave no room for them (431)."
    ),
    "http_protocol_options": "Old clients and simple health checks speak HTTP/1.0 and name no host.",
    "upgrade_configs": "WebSockets reach the default pool, as every other path does.",
    "preserve_external_request_id": "A client finds its request by its own id in every log.",
    "stream_error_on_invalid_http_message": (
        "Otherwise Envoy closes the connection after every 400, also after one of the server's, and the"
        " client needs another one. What is no HTTP closes it anyway."
    ),
    f"http_filters.{REQUEST_ID}": "Every answer says its request's id: the pool's own, else the request's.",
    "common_http_protocol_options": "How long a connection without a request stays open.",
    "max_request_headers_kb": (
        "Envoy's own default, made explicit because the server and its gRPC message limit rely on it."
    ),
    "request_headers_timeout": "Headers arrive at once; a client that sends them slowly gets a 408.",
    "request_timeout": (
        "envoy.request_timeout_s. Time for a whole request, body included; a slower one gets a 408. It"
        " also applies to uploads on other paths."
    ),
    "stream_idle_timeout": (
        "envoy.stream_idle_timeout_s. The longest pause, either way: a model that thinks, a client that "
        "stops sending."
    ),
    "use_remote_address": (
        "This Envoy is the edge: it drops x-envoy-* headers of clients and appends to x-forwarded-for."
        " Behind a proxy that you trust, leave it out and set xff_num_trusted_hops."
    ),
    "server_header_transformation": "No server header: neither Envoy's nor the pool's.",
}

_TLS: Final = {
    "filter_chains.transport_socket": (
        "envoy.tls. With client_ca_file a client needs a certificate from that authority. Envoy reads the"
        " files when it starts."
    ),
    f"{SERVER_CLUSTER}.transport_socket": (
        "envoy.server_tls. Whoever answers as the server reads every prompt, so its certificate must come"
        " from this authority and name one of these hosts."
    ),
}

GUARDS: Final = _PATHS | _LIMITS | _TLS
