"""The outcome of the request pipeline: Forward, Replay or Reject, each with its explanation.

It is not the reply to Envoy (`mutations.py` makes that). The rule it keeps: exactly one of the
three, complete, so that nothing downstream has to look anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from router_extproc.cache.base import Fingerprint
from router_extproc.dialects.base import Rendered
from router_extproc.errors import RequestError
from router_extproc.pipeline.caching.feedback import Feedback
from router_extproc.pipeline.caching.savings import EntryWorth
from router_extproc.routing.policy import Route
from router_extproc.signals.base import Reading

#: The value of the `x-router-cache` header.
CacheStatus = Literal["hit-exact", "hit-semantic", "miss", "bypass"]


@dataclass(frozen=True, slots=True)
class StageNote:
    """How one stage went."""

    stage: str
    duration_s: float
    #: "ok", "timeout", "error" or "skipped".
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A neighbour that the cache looked at; the fingerprint names it, its text is not repeated."""

    fingerprint: str
    similarity: float
    score: float
    accepted: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision came out as it did; holds no text of the client's."""

    dialect: str
    route: Route | None
    readings: tuple[Reading, ...]
    cache: CacheStatus
    #: Why a miss or a bypass: a short word.
    cache_reason: str
    candidates: tuple[Candidate, ...] = ()
    stages: tuple[StageNote, ...] = ()


@dataclass(frozen=True, slots=True)
class CacheOutcome:
    """What the client is told about the cache."""

    status: CacheStatus
    #: RFC 9211 Cache-Status value.
    cache_status: str
    #: Seconds since the entry was stored; hits only.
    age_s: int | None = None
    #: The client is told nothing of it, nor by how long it takes.
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the request to the route's pool."""

    route: Route
    #: None: the client's body as it is.
    body: bytes | None
    cache: CacheOutcome
    #: What the observer needs to store the answer; None: do not store.
    write_token: str | None
    explanation: Explanation
    #: Equal requests may wait for the answer under this key; None: for this answer nobody waits.
    coalescing_key: Fingerprint | None = None
    #: The client's, of what was stored for this request.
    feedback: Feedback | None = None


@dataclass(frozen=True, slots=True)
class Replay:
    """Answer from the cache."""

    rendered: Rendered
    cache: CacheOutcome
    model: str
    decision: str
    explanation: Explanation
    #: The entry, and what this hit saves.
    saved: EntryWorth


@dataclass(frozen=True, slots=True)
class Reject:
    """Answer with the dialect's error object."""

    error: RequestError
    rendered: Rendered
    headers: Mapping[str, str] = field(default_factory=dict)


Decision: TypeAlias = Forward | Replay | Reject
