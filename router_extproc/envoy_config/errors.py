"""Errors that Envoy makes itself, in the form of the API whose path was asked; elsewhere in OpenAI's.

The server's own errors pass as they are. A client is told what it may know, and nothing of what is behind
Envoy; so any page in a browser may read it, unless `envoy.cors` says otherwise. A mapping names the status
and, where another filter of somebody's Envoy may give it too, the details.
Source: http_connection_manager.proto, LocalReplyConfig; route_components.proto, DirectResponseAction.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLogFilter, ExtensionFilter
from envoy_data_plane.envoy.config.core.v3 import DataSource, HeaderValueOption, SubstitutionFormatString
from envoy_data_plane.envoy.config.route.v3 import DirectResponseAction
from envoy_data_plane.envoy.extensions.access_loggers.filters.cel.v3 import ExpressionFilter
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    LocalReplyConfig,
    ResponseMapper,
)
from envoy_data_plane.google.protobuf import Any as Packed

from router_extproc.dialects import DIALECTS
from router_extproc.dialects.base import Dialect
from router_extproc.dialects.routed.base import RendersErrors
from router_extproc.envoy_config.header_values import set_header
from router_extproc.envoy_config.paths import AMBIGUOUS, OPERATOR, OTHER
from router_extproc.errors import RETRY_AFTER_S, RequestError
from router_extproc.protocol.names import ALLOW_ORIGIN_HEADER, ANY_ORIGIN

JSON: Final = "application/json"
#: Whose errors are read on paths of no dialect.
OF_OTHER_PATHS: Final = DIALECTS["openai_chat"]
#: By then the health checks have found out, or the pool is back.
POOL_RETRY_AFTER_S: Final = 5


@dataclass(frozen=True, slots=True)
class EnvoyError:
    """One error of Envoy's, as the client reads it."""

    status: int
    code: str
    message: str
    #: When it may be worth asking again; None: nobody knows.
    retry_after_s: int | None = None

    def body(self, dialect: RendersErrors = OF_OTHER_PATHS) -> str:
        """The error object of the dialect's API."""
        error = RequestError(self.message)
        error.status, error.code = self.status, self.code
        return dialect.render_error(error).body.decode()


TOO_LARGE: Final = EnvoyError(
    413,
    "request_too_large",
    "The request body is larger than this gateway accepts.",
)
ROUTER_UNAVAILABLE: Final = EnvoyError(
    503,
    "router_unavailable",
    "The gateway cannot process this request at the moment. Try again.",
    RETRY_AFTER_S,
)
UNKNOWN_CLUSTER: Final = EnvoyError(
    503, "unknown_cluster", "This gateway has no pool for the model that was chosen."
)
_POOL_UNAVAILABLE: Final = EnvoyError(
    503,
    "pool_unavailable",
    "The pool that serves this model cannot be reached.",
    POOL_RETRY_AFTER_S,
)
_POOL_TIMEOUT: Final = EnvoyError(
    504, "pool_timeout", "The pool that serves this model did not answer in time."
)
_REQUEST_TIMEOUT: Final = EnvoyError(408, "request_timeout", "The request did not arrive in time.")
_TOO_MANY_HEADERS: Final = EnvoyError(
    431,
    "request_headers_too_large",
    "The request has more headers than this gateway accepts.",
)
_UPGRADE: Final = EnvoyError(426, "http_version_not_supported", "This gateway speaks HTTP/1.1 and HTTP/2.")
_MALFORMED: Final = EnvoyError(400, "malformed_request", "The request is not valid HTTP.")
_AMBIGUOUS: Final = EnvoyError(400, "ambiguous_path", "The request's path can be read in more than one way.")
_DENIED: Final = EnvoyError(403, "path_denied", "This path is not served by this gateway.")

_NO_UPGRADE: Final = EnvoyError(
    403,
    "upgrade_not_supported",
    "This gateway does not support protocol upgrades.",
)


def _refused_by(policy: str) -> str:
    return f'response.code_details == "rbac_access_denied_matched_policy[{policy}]"'


def _details(pattern: str) -> str:
    return f'response.code_details.matches("^({pattern})")'


#: When, and the error then; the first that fits.
_REPLIES: Final = (
    (_refused_by(AMBIGUOUS), _AMBIGUOUS),
    (_refused_by(OPERATOR), _DENIED),
    (_refused_by(OTHER), _DENIED),
    ('response.code == 413 && response.code_details == "request_payload_too_large"', TOO_LARGE),
    # ext_proc_error: a pool failed, and the server, which writes requests for the next one, has gone, too.
    (
        f"response.code == 503 && {_details('no_healthy_upstream|upstream_reset|ext_proc_error')}",
        _POOL_UNAVAILABLE,
    ),
    (
        f"response.code == 504 && {_details('.*upstream.*timeout|response_timeout|stream_idle_timeout')}",
        _POOL_TIMEOUT,
    ),
    (
        f"response.code == 408 && {_details('request_.*timeout|stream_idle_timeout')}",
        _REQUEST_TIMEOUT,
    ),
    ("response.code == 431", _TOO_MANY_HEADERS),
    ("response.code == 426", _UPGRADE),
    ('response.code == 403 && response.code_details == "upgrade_failed"', _NO_UPGRADE),
    (
        f"response.code == 400 && {_details('http1|http2|path_normalization|missing|absolute')}",
        _MALFORMED,
    ),
    # An upload that met a dead endpoint and is too long to be kept for another one.
    ("response.code == 507", _POOL_UNAVAILABLE),
)


def local_replies(prefixes: Sequence[str] = ()) -> LocalReplyConfig:
    """What Envoy says in place of its own words; the first mapping that fits counts.

    prefixes: of `envoy.path_prefixes`.
    """
    return LocalReplyConfig(
        mappers=[mapper for when, error in _REPLIES for mapper in _mappers(when, error, prefixes)],
    )


def direct(error: EnvoyError, dialect: RendersErrors = OF_OTHER_PATHS) -> DirectResponseAction:
    """The error as a route's answer; its type is for the route to say."""
    return DirectResponseAction(status=error.status, body=DataSource(inline_string=error.body(dialect)))


def error_headers(error: EnvoyError) -> list[HeaderValueOption]:
    """The headers of such an answer."""
    return [set_header("content-type", JSON), *_more_headers(error)]


def _more_headers(error: EnvoyError) -> list[HeaderValueOption]:
    readable = [set_header(ALLOW_ORIGIN_HEADER, ANY_ORIGIN)]
    if error.retry_after_s is None:
        return readable
    return [*readable, set_header("retry-after", str(error.retry_after_s))]


def _mappers(when: str, error: EnvoyError, prefixes: Sequence[str]) -> Iterator[ResponseMapper]:
    """One for each form of the error; a request so broken that it has no path gets the last."""
    for dialect in DIALECTS.values():
        if error.body(dialect) != error.body():
            paths = [prefix + each.path for prefix in ("", *prefixes) for each in dialect.endpoints]
            asked = " || ".join(f"request.url_path.startsWith('{path}')" for path in paths)
            yield _mapper(f"({asked}) && {when}", error, dialect)
    yield _mapper(when, error, OF_OTHER_PATHS)


def _mapper(when: str, error: EnvoyError, dialect: Dialect) -> ResponseMapper:
    condition = AccessLogFilter(
        extension_filter=ExtensionFilter(
            name="envoy.access_loggers.extension_filters.cel",
            typed_config=Packed.pack(ExpressionFilter(expression=when)),
        )
    )
    return ResponseMapper(
        filter=condition,
        status_code=error.status,
        headers_to_add=_more_headers(error),
        body_format_override=SubstitutionFormatString(
            text_format_source=DataSource(inline_string=error.body(dialect)), content_type=JSON
        ),
    )
