"""What the cache may do for a decision, and who shares its entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from router_extproc.cache.scope import ScopeRule

CacheMode = Literal["off", "exact", "semantic"]
MultiTurn = Literal["digest", "exact"]


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What the cache may do for one decision."""

    mode: CacheMode
    #: Cosine below which a neighbour is not even verified.
    similarity_min: float
    ttl_s: float
    store_tool_calls: bool
    #: Share of semantic hits that are sent to the pool all the same, to compare.
    shadow_rate: float = 0.0
    #: Share of false hits that may not be exceeded; None: no bound.
    max_false_hit_rate: float | None = None
    #: A hit takes as long as a miss, and nothing tells them apart.
    hide_timing: bool = False
    #: A question behind earlier turns: matched by meaning behind equal turns, or exactly only.
    multi_turn: MultiTurn = "digest"


class ScopeRules:
    """The scope rule of every decision."""

    def __init__(self, default: ScopeRule, own: Mapping[str, ScopeRule] = MappingProxyType({})) -> None:
        """`own`: of decisions that have another rule than `default`."""
        self._default: Final = default
        self._own: Final = dict(own)
        #: Each rule once, the default first.
        self.distinct: Final = tuple(dict.fromkeys((default, *self._own.values())))

    def of(self, decision: str | None) -> ScopeRule:
        """The rule for requests of a decision; None: of any that has no rule of its own."""
        return self._default if decision is None else self._own.get(decision, self._default)
