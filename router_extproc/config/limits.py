"""Every bound on size and time: the section `limits`.

To give more time, `message_timeout_s` is enough: the stages share what is left of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pydantic import Field

from router_extproc.section import Section

#: What a frozen sidecar costs a client until Envoy notices. It is enough for a full window of the encoder and
#: for verifying two long questions on a processor without VNNI (0.1 s and more each).
MESSAGE_TIMEOUT_S: Final = 0.5
MARGIN_S: Final = 0.05
#: Of the time that is left for stages, unless they are given.
SIGNALS_SHARE: Final = 5 / 9
CACHE_SHARE: Final = 4 / 9


def _share(share: float, given: Mapping[str, float]) -> float:
    left_s = given.get("message_timeout_s", MESSAGE_TIMEOUT_S) - given.get("margin_s", MARGIN_S)
    return share * left_s


class Limits(Section):
    """Envoy's own limits are rendered from these numbers."""

    #: A longer request body gets a 413. Envoy's buffer and the gRPC limits follow from it.
    #: 16 MiB are a photo, or all that a coding agent knows.
    max_body_bytes: int = Field(default=16 * 1024 * 1024, ge=1024, le=64 * 1024 * 1024)
    #: Envoy waits this long for a reply, then goes on without the sidecar.
    message_timeout_s: float = Field(default=MESSAGE_TIMEOUT_S, gt=0, le=10)
    #: Kept free inside message_timeout_s for the way back.
    margin_s: float = Field(default=MARGIN_S, ge=0)
    #: The encoder pass with all signals.
    signals_timeout_s: float = Field(default_factory=lambda given: _share(SIGNALS_SHARE, given), gt=0)
    #: The cache lookup, verification included.
    cache_timeout_s: float = Field(default_factory=lambda given: _share(CACHE_SHARE, given), gt=0)
    #: Requests in flight; further ones pass to the default pool, unread.
    max_exchanges: int = Field(default=4096, ge=1)
    #: Time for streams to finish after SIGTERM.
    drain_s: float = Field(default=10, ge=0)
