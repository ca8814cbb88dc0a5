"""Headers that a policy may switch on, beside our own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from router_extproc.pipeline.decision import Decision, Forward
from router_extproc.protocol.headers import Pair


class MoreHeaders(Protocol):
    """What they say of a decision."""

    def to_pool(self, forward: Forward) -> tuple[Pair, ...]:
        """Request headers."""
        ...

    def naming(self, model: str) -> tuple[Pair, ...]:
        """Those of them that are other ones for each model that may be asked."""
        ...

    def metadata(self, forward: Forward) -> Mapping[str, str]:
        """What Envoy's route makes answer headers of, by metadata key."""
        ...

    def to_client(self, decision: Decision) -> tuple[Pair, ...]:
        """Headers of an answer that the server gives itself."""
        ...


@dataclass(frozen=True, slots=True)
class AllHeaders:
    """Those of several; fits MoreHeaders."""

    parts: tuple[MoreHeaders, ...]

    def to_pool(self, forward: Forward) -> tuple[Pair, ...]:
        """See MoreHeaders."""
        return tuple(pair for part in self.parts for pair in part.to_pool(forward))

    def naming(self, model: str) -> tuple[Pair, ...]:
        """See MoreHeaders."""
        return tuple(pair for part in self.parts for pair in part.naming(model))

    def metadata(self, forward: Forward) -> Mapping[str, str]:
        """See MoreHeaders."""
        return {key: value for part in self.parts for key, value in part.metadata(forward).items()}

    def to_client(self, decision: Decision) -> tuple[Pair, ...]:
        """See MoreHeaders."""
        return tuple(pair for part in self.parts for pair in part.to_client(decision))


def all_headers(*parts: MoreHeaders | None) -> MoreHeaders | None:
    """Those of the parts that there are; None: there is none."""
    given = tuple(part for part in parts if part is not None)
    if len(given) > 1:
        return AllHeaders(given)
    return given[0] if given else None
