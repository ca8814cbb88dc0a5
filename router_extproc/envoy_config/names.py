"""The names that Envoy's configuration and the server share.

It is not a place for values that an operator may choose. The rule it keeps: a name on the wire is
spelled once.
"""

from __future__ import annotations

#: Filter names; they also name the filters in logs and per-route overrides.
PATHS = "router.paths"
BUFFER = "router.buffer"
DECIDE = "router.decide"
OBSERVE = "router.observe"
INLINE = "router.inline"

#: The cluster of the gRPC server.
SERVER_CLUSTER = "router_extproc"

#: Initial metadata of every ext_proc stream: decide, observe or inline.
ROLE_HEADER = "x-router-role"

#: Initial metadata of every ext_proc stream: the digest of the configuration that Envoy was rendered from.
CONFIG_HEADER = "x-router-config"
#: What the server is told of an answer: the cluster that it came from, and why Envoy made it if it did.
ANSWER_ATTRIBUTES = ("xds.cluster_name", "response.code_details")

#: Dynamic metadata written by the deciding filter, read by the observer and the answer's headers.
METADATA_NAMESPACE = "router_extproc"

#: Request headers with this prefix are ours; a client's are removed.
ROUTER_HEADER_PREFIX = "x-router-"
#: What follows the prefix in the one of them that is a client's to send: x-router-cache-feedback.
FEEDBACK_HEADER_BEGINS = "cache-f"
CLUSTER_HEADER = "x-router-cluster"

#: Of our own answers: hit-exact or hit-semantic.
CACHE_HEADER = "x-router-cache"
HIT_PREFIX = "hit-"
