"""The error object of OpenAI's APIs, which all of them share.

Source: the OpenAI API reference, "Error codes".
"""

from __future__ import annotations

from typing import Final

import orjson

from router_extproc.dialects.base import Rendered
from router_extproc.errors import RequestError

_SERVER_ERROR: Final = 500


def render_error(error: RequestError) -> Rendered:
    """The API's error object."""
    kind = "server_error" if error.status >= _SERVER_ERROR else "invalid_request_error"
    document = {"message": error.message, "type": kind, "param": error.param, "code": error.code}
    return Rendered("application/json", orjson.dumps({"error": document}))
