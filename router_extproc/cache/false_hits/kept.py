"""What is kept of the evidence over a restart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from router_extproc.cache.false_hits.threshold import Kept

#: Who says that a hit was wrong.
Source: TypeAlias = Literal["client", "operator"]


@dataclass(frozen=True, slots=True)
class KeptDecision:
    """What is kept of one decision over a restart."""

    decision: str
    #: Of the latest comparisons: which were wrong.
    latest: tuple[bool, ...]
    feedback: dict[Source, int]
    threshold: Kept | None


@dataclass(frozen=True, slots=True)
class KeptScope:
    """The feedback of one scope about one decision."""

    decision: str
    scope: str
    results: tuple[tuple[float, bool], ...]


@dataclass(frozen=True, slots=True)
class KeptEvidence:
    """All that is kept over a restart."""

    decisions: tuple[KeptDecision, ...] = ()
    scopes: tuple[KeptScope, ...] = ()
