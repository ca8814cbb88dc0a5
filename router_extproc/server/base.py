"""The ports between the server and the rest: what the server reports of its streams.

The server knows these and `protocol.driver.ExchangeDriver` only, so that pipeline and telemetry are built,
and tested, without gRPC.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

from router_extproc.protocol.modes import Role

#: How a stream ended: by plan, by Envoy going away, by a broken contract (theirs, ours), or let
#: through because too many were in flight.
Outcome: TypeAlias = Literal["done", "cancelled", "remote_error", "local_error", "let_through"]


#: Called at the beginning of each stream with the digest that its Envoy tells; None: it tells none.
ConfigSeen: TypeAlias = Callable[[str | None], None]


def ignore_config(digest: str | None) -> None:
    """Of servers whose Envoy is not compared with anything."""
    del digest


class StreamCounter(Protocol):
    """Counts streams."""

    def opened(self, role: Role) -> None:
        """A stream began."""
        ...

    def closed(self, role: Role, outcome: Outcome) -> None:
        """A stream ended."""
        ...
