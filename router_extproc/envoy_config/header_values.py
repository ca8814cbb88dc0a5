"""Headers as routes and local replies set them."""

from __future__ import annotations

from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValue,
    HeaderValueOption,
)
from envoy_data_plane.envoy.config.core.v3 import (
    HeaderValueOptionHeaderAppendAction as AppendAction,
)


def set_header(name: str, value: str) -> HeaderValueOption:
    """The header with this value alone, whatever was there before."""
    return HeaderValueOption(
        header=HeaderValue(key=name, value=value), append_action=AppendAction.OVERWRITE_IF_EXISTS_OR_ADD
    )
