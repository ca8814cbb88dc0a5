"""The policy: which decision applies to a request, and which model serves it.

It is not the cache's policy and measures nothing. The rule it keeps: the same readings always give
the same route, and a route's trace names every decision that was looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

CacheMode = Literal["off", "exact", "semantic"]


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """What the cache may do for one decision."""

    mode: CacheMode
    #: Cosine below which a neighbour is not even verified.
    similarity_min: float
    ttl_s: float
    store_tool_calls: bool


@dataclass(frozen=True, slots=True)
class Target:
    """One model and where it is served."""

    #: The key in `models`.
    model: str
    cluster: str
    #: What the body's "model" becomes.
    served_name: str
    reasoning_family: str | None
    input_per_mtok: float = 0.0
    output_per_mtok: float = 0.0


@dataclass(frozen=True, slots=True)
class Route:
    """Where a request goes, and why."""

    #: A decision's name, "default" (no rule matched) or "pinned" (the client named a real model).
    decision: str
    target: Target
    #: None leaves the body as it is.
    reasoning: bool | None
    cache: CachePolicy
    tags: tuple[str, ...] = ()
    trace: tuple[RuleTrace, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleTrace:
    """One decision that was looked at, for `explain`."""

    decision: str
    matched: bool
    #: The first test that failed, or "" when it matched.
    reason: str
    tests: Mapping[str, bool]
