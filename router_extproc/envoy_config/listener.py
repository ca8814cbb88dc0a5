"""The connection manager's guard rails, which an Envoy of somebody else may lack.

Source: http_connection_manager.proto; Envoy's guide for edge proxies.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from envoy_data_plane.envoy.config.core.v3 import Http1ProtocolOptions, HttpProtocolOptions
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManagerServerHeaderTransformation as ServerHeader,
)
from envoy_data_plane.envoy.extensions.filters.network.http_connection_manager.v3 import (
    HttpConnectionManagerUpgradeConfig as Upgrade,
)

from router_extproc.config.model import Config
from router_extproc.envoy_config.errors import local_replies
from router_extproc.envoy_config.filters import early_header_mutation
from router_extproc.envoy_config.paths import normalised
from router_extproc.protocol.headers import REQUEST_HEADERS_BYTES_MAX, REQUEST_HEADERS_MAX

REQUEST_HEADERS_S: Final = 10
CONNECTION_IDLE_S: Final = 300
#: Of clients that speak HTTP/1.0 and name none.
HOST_OF_OLD_CLIENTS: Final = "gateway"
_KIB: Final = 1024


def guards(config: Config) -> dict[str, Any]:  # Any: fields of the connection manager
    """The fields beside route_config and http_filters, in the order in which they are rendered."""
    return {
        **normalised(),
        **_limits(config),
        **_spoken(),
        "use_remote_address": True,
        # Otherwise "envoy", or the pool's own; the virtual host removes the pool's.
        "server_header_transformation": ServerHeader.PASS_THROUGH,
        "early_header_mutation_extensions": [early_header_mutation(config)],
        "local_reply_config": local_replies(config.envoy.path_prefixes),
    }


def _spoken() -> dict[str, Any]:  # Any: likewise
    """What the listener takes although Envoy by itself would not."""
    return {
        "http_protocol_options": Http1ProtocolOptions(
            accept_http_10=True, default_host_for_http_10=HOST_OF_OLD_CLIENTS
        ),
        "upgrade_configs": [Upgrade(upgrade_type="websocket")],
        "preserve_external_request_id": True,
        "stream_error_on_invalid_http_message": True,
    }


def _limits(config: Config) -> dict[str, Any]:  # Any: likewise
    return {
        "common_http_protocol_options": HttpProtocolOptions(
            idle_timeout=timedelta(seconds=CONNECTION_IDLE_S), max_headers_count=REQUEST_HEADERS_MAX
        ),
        "max_request_headers_kb": REQUEST_HEADERS_BYTES_MAX // _KIB,
        "request_headers_timeout": timedelta(seconds=REQUEST_HEADERS_S),
        "request_timeout": timedelta(seconds=config.envoy.request_timeout_s),
        "stream_idle_timeout": timedelta(seconds=config.envoy.stream_idle_timeout_s),
    }
