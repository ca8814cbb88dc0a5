"""Reads the headers of a response: the status, and who made the answer.

Source: Envoy's documentation of attributes.
"""

from __future__ import annotations

import re
from typing import Final

from router_extproc.errors import RemoteProtocolError
from router_extproc.protocol.events import UNTOLD, AnswerStarted, Origin
from router_extproc.protocol.messages import ResponseHeaders

#: Attributes that the filters send with an answer's headers.
CLUSTER_ATTRIBUTE: Final = "xds.cluster_name"
DETAILS_ATTRIBUTE: Final = "response.code_details"

_STATUS: Final = re.compile("[1-9][0-9]{2}", re.ASCII).fullmatch


def start_answer(message: ResponseHeaders) -> AnswerStarted:
    """What a response's headers say of its answer.

    Raises:
        RemoteProtocolError: they have no status.
    """
    status = message.headers.get(":status") or ""
    if not _STATUS(status):
        raise RemoteProtocolError("response headers without a status")
    told = message.attributes
    origin = Origin(told.get(CLUSTER_ATTRIBUTE, ""), told.get(DETAILS_ATTRIBUTE, "")) if told else UNTOLD
    return AnswerStarted(int(status), message.headers, message.end_of_stream, message.metadata, origin)
