"""What becomes of a request whose cluster this Envoy does not know: the server has another configuration.

Without a route of its own it would go to the default pool, and its answer would pass for another model's.
Source: route_components.proto, HeaderMatcher.present_match.
"""

from __future__ import annotations

from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValueOptionHeaderAppendAction as AppendAction,
)
from envoy_data_plane.envoy.config.route.v3 import DirectResponseAction, HeaderMatcher, Route, RouteMatch

from router_extproc.envoy_config.names import CLUSTER_HEADER

_BODY = (
    '{"error": {"message": "This gateway has no pool for the model that was chosen.", '
    '"type": "server_error", "param": null, "code": "unknown_cluster"}}'
)


def unknown_cluster() -> Route:
    """Behind the routes of all pools: a cluster was named, and it is none of them."""
    named = HeaderMatcher(name=CLUSTER_HEADER, present_match=True)
    as_json = HeaderValueOption(
        header=HeaderValue(key="content-type", value="application/json"),
        append_action=AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    return Route(
        name="unknown cluster",
        match=RouteMatch(prefix="/", headers=[named]),
        direct_response=DirectResponseAction(status=503, body=DataSource(inline_string=_BODY)),
        response_headers_to_add=[as_json],
    )
