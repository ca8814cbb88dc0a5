"""Errors that Envoy makes itself, in the shape that clients of the OpenAI API read.

They are not the server's errors, which pass as they are. The rule it keeps: a client is told what it may
know, and nothing of what is behind Envoy.
Source: http_connection_manager.proto, LocalReplyConfig; route_components.proto, DirectResponseAction.
"""

from __future__ import annotations

from typing import Final

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLogFilter, ExtensionFilter
from envoy_data_plane.envoy.config.core.v3 import (
    DataSource,
    HeaderValue,
    HeaderValueOption,
    SubstitutionFormatString,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValueOptionHeaderAppendAction as AppendAction,
)
from envoy_data_plane.envoy.config.route.v3 import DirectResponseAction
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.google.protobuf import Any as Packed

JSON: Final = "application/json"


def _error(kind: str, code: str, message: str) -> str:
    return f'{{"error": {{"message": "{message}", "type": "{kind}", "param": null, "code": "{code}"}}}}'


_TOO_LARGE: Final = _error(
    "invalid_request_error",
    "request_too_large",
    "The request body is larger than this gateway accepts.",
)
_POOL_UNAVAILABLE: Final = _error(
    "server_error", "pool_unavailable", "The pool that serves this model cannot be reached."
)

#: By then the health checks have found out, or the pool is back.
RETRY_AFTER_S: Final = 5
_RETRY_AFTER: Final = HeaderValueOption(
    header=HeaderValue(key="retry-after", value=str(RETRY_AFTER_S)),
    append_action=AppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
)

#: When, and the body then.
_REPLIES: Final = (
    ('response.code == 413 && response.code_details == "request_payload_too_large"', _TOO_LARGE),
    (
        'response.code == 503 && response.code_details.matches("^(no_healthy_upstream|upstream_reset)")',
        _POOL_UNAVAILABLE,
    ),
    # An upload that met a dead endpoint and is too long to be kept for another one.
    ("response.code == 507", _POOL_UNAVAILABLE),
)


def local_replies() -> LocalReplyConfig:
    """What Envoy says in place of its own words."""
    return LocalReplyConfig(mappers=[_mapper(when, body) for when, body in _REPLIES])


def too_large() -> DirectResponseAction:
    """The answer to a request whose body is announced over the limit; its type is the route's to say."""
    return DirectResponseAction(status=413, body=DataSource(inline_string=_TOO_LARGE))


def _mapper(when: str, body: str) -> ResponseMapper:
    condition = AccessLogFilter(
        extension_filter=ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel",
            typed_config=Packed.pack(ExpressionFilter(expression=when)),
        )
    )
    return ResponseMapper(
        filter=condition,
        status_code=503 if body == _POOL_UNAVAILABLE else None,
        headers_to_add=[_RETRY_AFTER] if body == _POOL_UNAVAILABLE else [],
        body_format_override=SubstitutionFormatString(
            text_format_source=DataSource(inline_string=body), content_type=JSON
        ),
    )
