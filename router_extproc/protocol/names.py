"""Names on the wire that Envoy's configuration, the server and the pipeline share, each spelled once."""

from __future__ import annotations

from typing import Final

#: Request headers with this prefix are ours; Envoy removes a client's.
ROUTER_HEADER_PREFIX: Final = "x-router-"
#: Set by us, read by Envoy's route: a reply that sets it must clear the route cache.
CLUSTER_HEADER: Final = "x-router-cluster"
#: In the place of a cluster while a large request is being read: it must reach no pool unread.
UNDECIDED: Final = "(undecided)"
#: To the pool and to the client: the model and the decision that the request was routed to.
MODEL_HEADER: Final = "x-router-model"
DECISION_HEADER: Final = "x-router-decision"
#: Set by us, read by Envoy's route: the clusters that are tried one after another. No pool gets it.
FAILOVER_HEADER: Final = "x-router-failover"
#: To the client, by way of the request that the pool gets: what was saved, or what a token saves.
SAVED_HEADER: Final = "x-router-saved"
#: To the client: hit-exact, hit-semantic, miss or bypass.
CACHE_HEADER: Final = "x-router-cache"
#: To the client: RFC 9211.
CACHE_STATUS_HEADER: Final = "cache-status"
#: One of ours that a client may send: its word about a stored answer, with the request repeated.
FEEDBACK_HEADER: Final = "x-router-cache-feedback"
#: The other one: the token by which an operator is known. No pool gets it.
DEBUG_HEADER: Final = "x-router-debug"
#: To operators: the version of the policy that decided.
VERSION_HEADER: Final = "x-router-version"
EXPLAIN_HEADER: Final = "x-router-explain"

#: Initial metadata of every ext_proc stream: decide, observe or inline.
ROLE_HEADER: Final = "x-router-role"
#: Initial metadata of every ext_proc stream: the digest of the configuration that Envoy was rendered from.
CONFIG_HEADER: Final = "x-router-config"

#: Namespace of our dynamic metadata in Envoy: written by the deciding filter, read by the observing one.
METADATA_NAMESPACE: Final = "router_extproc"
#: Its keys: for the observer, and for the answer's headers (filled in by Envoy's route).
TOKEN_KEY: Final = "write_token"  # noqa: S105 - a key's name
#: For a pool that is asked in the place of another one: how the request looks there.
FAILOVER_KEY: Final = "failover"
CACHE_KEY: Final = "cache"
CACHE_STATUS_KEY: Final = "cache_status"
VERSION_KEY: Final = "version"
EXPLAIN_KEY: Final = "explain"

#: Headers of vLLM Semantic Router, for what was made for it (`envoy.compatible_headers`). To the pool:
OLD_SELECTED_MODEL_HEADER: Final = "x-selected-model"
#: To the client; the first two are what ours say.
OLD_MODEL_HEADER: Final = "x-vsr-selected-model"
OLD_DECISION_HEADER: Final = "x-vsr-selected-decision"
OLD_CATEGORY_HEADER: Final = "x-vsr-selected-category"
OLD_REASONING_HEADER: Final = "x-vsr-selected-reasoning"
OLD_CACHE_HIT_HEADER: Final = "x-vsr-cache-hit"
OLD_FAST_RESPONSE_HEADER: Final = "x-vsr-fast-response"
#: Metadata keys of those that Envoy's route fills in.
OLD_CATEGORY_KEY: Final = "old_category"
OLD_REASONING_KEY: Final = "old_reasoning"

#: The request's id: the client's own, or one of Envoy's making.
REQUEST_ID_HEADER: Final = "x-request-id"

#: By which a pool, Envoy or we tell a browser which page may read an answer (Fetch standard, CORS protocol).
ORIGIN_HEADER: Final = "origin"
ALLOW_ORIGIN_HEADER: Final = "access-control-allow-origin"
ALLOW_CREDENTIALS_HEADER: Final = "access-control-allow-credentials"
EXPOSE_HEADERS_HEADER: Final = "access-control-expose-headers"
#: Every page, and no credentials that a browser adds by itself.
ANY_ORIGIN: Final = "*"
