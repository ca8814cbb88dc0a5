"""What the cache may do for requests of each decision, and who shares their entries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from router_extproc.cache.ignore import NOTHING, IgnoreRule
from router_extproc.cache.scope import ClientScope, ScopeRule

CacheMode = Literal["off", "exact", "semantic"]
MultiTurn = Literal["digest", "exact"]
#: Names that a route carries when no configured decision took the request.
_UNDECIDED: Final = frozenset({"default", "pinned"})
_BY_CREDENTIALS: Final = ClientScope()


@dataclass(frozen=True, slots=True)
class StoreRules:
    """What a decision says of storing an answer; the write token carries it."""

    ttl_s: float
    store_tool_calls: bool


@dataclass(frozen=True, slots=True)
class KeyRule:
    """How the keys of a request are made; requests under different rules never share an entry."""

    scope: ScopeRule
    ignore: IgnoreRule = NOTHING


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
    #: A question behind earlier turns: matched semantically behind equal turns, or exactly only.
    multi_turn: MultiTurn = "digest"
    #: Who shares the entries.
    scope: ScopeRule = _BY_CREDENTIALS
    #: What of a system prompt is no part of the keys.
    ignore: IgnoreRule = NOTHING

    @property
    def key_rule(self) -> KeyRule:
        """How keys are made under this policy."""
        return KeyRule(self.scope, self.ignore)

    @property
    def store_rules(self) -> StoreRules:
        """The part that storing an answer needs."""
        return StoreRules(self.ttl_s, self.store_tool_calls)


class CachePolicies:
    """The cache policy of every decision, by the decision's name."""

    def __init__(
        self, default: CachePolicy, decisions: Mapping[str, CachePolicy] = MappingProxyType({})
    ) -> None:
        """`default`: of requests that no decision took, and of pinned ones."""
        self._default: Final = default
        self._decisions: Final = dict(decisions)
        #: Of a request that is still to be routed: each policy once.
        self.every: Final = tuple(dict.fromkeys((default, *self._decisions.values())))
        #: Each rule for keys once, the default's first.
        self.key_rules: Final = tuple(dict.fromkeys(policy.key_rule for policy in self.every))

    def of(self, decision: str) -> CachePolicy | None:
        """The policy of a decision, also of "default" and "pinned"; None: there is no such decision."""
        return self._default if decision in _UNDECIDED else self._decisions.get(decision)

    @property
    def pinned(self) -> CachePolicy:
        """Of a request that names a model."""
        return self._default

    def scope_of(self, decision: str | None) -> ScopeRule:
        """The scope rule of a decision; None, or a decision that is gone: the default's."""
        policy = None if decision is None else self.of(decision)
        return (policy or self._default).scope
