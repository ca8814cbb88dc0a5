"""Names that only Envoy's configuration knows; `protocol.names` has those it shares with the server."""

from __future__ import annotations

#: Filter names; they also name the filters in logs and per-route overrides.
REQUEST_ID = "router.request_id"
PAGES = "router.pages"
CORS = "router.cors"
OTHER_PAGES = "router.other_pages"
PATHS = "router.paths"
BUFFER = "router.buffer"
DECIDE = "router.decide"
OBSERVE = "router.observe"
INLINE = "router.inline"
#: Towards the pools.
POOL = "router.pool"
RETRY = "router.retry"

#: The cluster of the gRPC server.
SERVER_CLUSTER = "router_extproc"
#: What the default pool's cluster is called for gRPC calls, which need HTTP/2.
GRPC_SUFFIX = "_grpc"

#: What the server is told of an answer: the cluster that it came from, and why Envoy made it if it did.
ANSWER_ATTRIBUTES = ("xds.cluster_name", "response.code_details")

#: What follows the prefix in those that are a client's to send: x-router-cache-feedback, and an operator's
#: x-router-debug.
FEEDBACK_HEADER_BEGINS = "cache-f"
DEBUG_HEADER_BEGINS = "deb"

#: How the cache header of a hit begins: hit-exact, hit-semantic.
HIT_PREFIX = "hit-"
