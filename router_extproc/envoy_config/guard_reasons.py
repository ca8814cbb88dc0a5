"""Why paths are spelled and refused as they are, and why the listener has its limits and its TLS."""

from __future__ import annotations

from typing import Final

from router_extproc.envoy_config.names import PATHS, SERVER_CLUSTER
from router_extproc.envoy_config.paths import AMBIGUOUS, OPERATOR, OPERATOR_PATHS, OTHER, UNREAD

_NORMALISED = (
    "The next three are not optional. Servers decode a path before they compare it, routes do not: without "
    "them /v1/chat/%63ompletions, //v1/..., /x/../v1/... reach a pool unread, past every decision."
)

_PATHS: Final = {
    "normalize_path": _NORMALISED,
    f"http_filters.{PATHS}": (
        "Not optional: which paths may reach a pool. A path that can still be read in two ways is a 400, one "
        "that envoy.other_paths denies a 403. Counters: http.clients.rbac.* by policy."
    ),
    f"{PATHS}.typed_config.rules.policies.{AMBIGUOUS}": (
        "A path parameter (;), an escape that is cut short, escapes that some servers decode "
        "twice or cut at, "
        "and an inference path in other letters or with a space, a dot, ... behind it."
    ),
    f"{PATHS}.typed_config.rules.policies.{OPERATOR}": "\n".join(
        ["envoy.other_paths: pass. Operators' paths of vLLM:"]
        + [f"{' '.join(f'{path}*' for path in paths)}: {reason}." for reason, paths in OPERATOR_PATHS]
    ),
    f"{PATHS}.typed_config.rules.policies.{OTHER}": (
        "envoy.other_paths. Only inference requests and these paths reach a pool."
    ),
    f"{PATHS}.typed_config.shadow_rules.policies.{UNREAD}": (
        "Refuses nothing, counts: a POST that seems to ask a model and reaches a pool unread, "
        "because no dialect "
        "has its path (http.clients.rbac.router_unread.shadow_denied)."
    ),
    "regex_rewrite": "A slash at the end is read like none; the pool would redirect the client.",
}

_LIMITS: Final = {
    "common_http_protocol_options.max_headers_count": (
        "Envoy counts what the server adds as well, and answers too many with an empty 500. "
        "The server refuses "
        "what leaves no room (431)."
    ),
    "common_http_protocol_options": "A connection without a request.",
    "max_request_headers_kb": (
        "Envoy's own default, written down because the server and its gRPC message limit count on it."
    ),
    "request_headers_timeout": "Headers come in one go; who dribbles them gets a 408.",
    "request_timeout": (
        "envoy.request_timeout_s. A whole request, body included: one that dribbles ends in a "
        "408. Uploads on "
        "other paths must be done by then as well."
    ),
    "stream_idle_timeout": (
        "envoy.stream_idle_timeout_s. The longest pause, either way: a model that thinks, a client that "
        "stops sending."
    ),
    "use_remote_address": (
        "This Envoy is the edge: x-envoy-* headers of clients are dropped, x-forwarded-for is "
        "appended to. Behind "
        "a proxy that you trust, leave it out and set xff_num_trusted_hops."
    ),
    "server_header_transformation": "No server header: neither Envoy's nor the pool's.",
}

_TLS: Final = {
    "filter_chains.transport_socket": (
        "envoy.tls. With client_ca_file a client needs a certificate of that authority. Envoy "
        "reads the files when "
        "it starts."
    ),
    f"{SERVER_CLUSTER}.transport_socket": (
        "envoy.server_tls. Whoever answers as the server reads every prompt: its certificate "
        "must come from this "
        "authority, for one of these hosts."
    ),
}

GUARDS: Final = _PATHS | _LIMITS | _TLS
