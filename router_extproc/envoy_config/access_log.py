"""Envoy's access log: one JSON object a request, joined to the server's lines by the request id.

What a client wrote is limited to the method, the path without its query, and the two ids, cut to the length
that such ids have. Source: https://www.envoyproxy.io/docs/envoy/latest/configuration/advanced/substitution_formatter
"""

from __future__ import annotations

import json
from typing import Final

from envoy_data_plane.envoy.config.accesslog.v3 import AccessLog
from envoy_data_plane.envoy.config.core.v3 import SubstitutionFormatString
from envoy_data_plane.envoy.extensions.access_loggers.stream.v3 import StdoutAccessLog
from envoy_data_plane.google.protobuf import Any as Packed
from envoy_data_plane.google.protobuf import Struct, Value

from router_extproc.protocol.names import CACHE_HEADER, CLUSTER_HEADER, DECISION_HEADER, MODEL_HEADER

#: As pipeline.request_ids takes.
_REQUEST_ID_CHARS_MAX: Final = 64
#: Of a traceparent of version 00.
_TRACE_PARENT_CHARS: Final = 55


def _told(header: str) -> str:
    """What the client was told; before there was an answer, what the server told Envoy.

    Answers from the cache never had the request header, requests that broke off never the answer's.
    """
    sources = [{"command": command, "param": header} for command in ("RESP", "REQ")]
    return f"%COALESCE({json.dumps({'operators': sources}, separators=(',', ':'))})%"


FIELDS: Final = {
    "time": "%START_TIME%",
    "method": "%REQ(:METHOD)%",
    "path": "%PATH(NQ)%",
    "protocol": "%PROTOCOL%",
    "status": "%RESPONSE_CODE%",
    "details": "%RESPONSE_CODE_DETAILS%",
    "flags": "%RESPONSE_FLAGS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration_ms": "%DURATION%",
    "first_byte_ms": "%RESPONSE_DURATION%",
    # %UPSTREAM_CLUSTER% is the route's, which an answer from the cache has, too, and never asked.
    "cluster": f"%REQ({CLUSTER_HEADER})%",
    "route": "%ROUTE_NAME%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_attempts": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "model": _told(MODEL_HEADER),
    "decision": _told(DECISION_HEADER),
    "cache": f"%RESP({CACHE_HEADER})%",
    "request_id": f"%REQ(X-REQUEST-ID):{_REQUEST_ID_CHARS_MAX}%",
    "traceparent": f"%REQ(TRACEPARENT):{_TRACE_PARENT_CHARS}%",
}


def access_log() -> AccessLog:
    """The log on Envoy's standard output."""
    fields = Struct(fields={name: Value(string_value=value) for name, value in FIELDS.items()})
    log = StdoutAccessLog(log_format=SubstitutionFormatString(json_format=fields))
    return AccessLog(name="envoy.access_loggers.stdout", typed_config=Packed.pack(log))
