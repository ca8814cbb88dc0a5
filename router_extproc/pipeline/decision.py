"""The outcome of the request pipeline: Forward, Replay, LocalAnswer or Reject, with its explanation.

Exactly one of the four, and complete: nothing downstream looks anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from router_extproc.dialects.base import Rendered
from router_extproc.equivalence.languages import Told
from router_extproc.errors import RequestError
from router_extproc.pipeline.baseline import Compared
from router_extproc.pipeline.body_edits import DescribedEdit
from router_extproc.pipeline.caching.feedback import Feedback
from router_extproc.pipeline.caching.question import CacheQuestion
from router_extproc.pipeline.caching.savings import EntryWorth
from router_extproc.pipeline.failover.plan import FailoverPlan
from router_extproc.pipeline.token import WriteToken
from router_extproc.protocol.headers import Pair
from router_extproc.redaction.request import Redacted, RedactedPart
from router_extproc.routing.route import LocalReply, Route
from router_extproc.signals.base import Reading

StageOutcome = Literal["ok", "timeout", "error"]
#: The value of the `x-router-cache` header.
CacheStatus = Literal["hit-exact", "hit-semantic", "miss", "bypass"]


@dataclass(frozen=True, slots=True)
class StageNote:
    """How one stage went."""

    stage: str
    duration_s: float
    outcome: StageOutcome
    reason: str = ""
    #: When it began, wall clock.
    started_s: float = field(kw_only=True)


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
    #: None: an exact hit made it needless.
    route: Route | LocalReply | None
    readings: tuple[Reading, ...]
    cache: CacheStatus
    #: Why a miss or a bypass: a short word.
    cache_reason: str
    candidates: tuple[Candidate, ...] = ()
    stages: tuple[StageNote, ...] = ()
    #: That the cache read the prompt as; None: it was not asked for other words.
    language: Told | None = None
    #: Parts of the system prompt that `ignore` leaves out of the cache's keys.
    ignored: int = 0
    #: What the decision changes that requests of this API have no place for.
    not_made: tuple[str, ...] = ()
    #: How much was replaced by placeholders, by kind and part.
    redacted: tuple[RedactedPart, ...] = ()
    #: Seconds that each signal took, by its name.
    took_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CacheOutcome:
    """What the cache did, as the client's headers say it."""

    status: CacheStatus
    #: RFC 9211 Cache-Status value.
    cache_status: str
    #: Seconds since the entry was stored; hits only.
    age_s: int | None = None
    #: No header says it, and a hit takes as long as a miss.
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Forward:
    """Send the request to the route's pool."""

    route: Route
    #: None: the client's body as it is.
    body: bytes | None
    cache: CacheOutcome
    #: What the answer's observer needs.
    write_token: WriteToken
    explanation: Explanation
    #: A miss that equal requests may wait for; None: for this answer nobody waits.
    coalescing: CacheQuestion | None = None
    #: The client's, of what was stored for this request.
    feedback: Feedback | None = None
    #: What is changed in the body, for `explain`.
    edits: tuple[DescribedEdit, ...] = ()
    #: What its answer needs of a request whose facts were replaced; None: nothing was to be replaced.
    redacted: Redacted | None = None
    #: The client's body was compressed, and `body` is not.
    decoded: bool = False
    #: Who is asked when the route's pool does not begin to answer; None: nobody.
    failover: FailoverPlan | None = None
    #: The models whose pools are asked for usage that the client is not to see.
    usage_asked: frozenset[str] = frozenset()


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
    #: By which a browser lets the asking page read the answer.
    headers: tuple[Pair, ...] = ()
    #: The stored answer's cost beside the baseline's; None: it is not known.
    compared: Compared | None = None
    #: Who is counted for it; "": nobody asked for tenants.
    tenant: str = ""


@dataclass(frozen=True, slots=True)
class LocalAnswer:
    """Answer with the fixed text of a decision."""

    rendered: Rendered
    decision: str
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Reject:
    """Answer with the dialect's error object."""

    error: RequestError
    rendered: Rendered
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Of a request that was refused after its decision; None: it was never decided, or not to be answered.
    explanation: Explanation | None = None


Decision: TypeAlias = Forward | Replay | LocalAnswer | Reject
