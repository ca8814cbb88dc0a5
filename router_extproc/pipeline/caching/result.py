"""What comes of asking the cache about a request: a hit, or why there is none and what the client reads."""

from __future__ import annotations

from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Literal

from router_extproc.cache.http_caching import ForwardReason, render_forward
from router_extproc.cache.results import Hit, Judged
from router_extproc.equivalence.languages import Told
from router_extproc.pipeline.caching.feedback import Feedback
from router_extproc.pipeline.caching.reuse import BYPASS_REASONS
from router_extproc.pipeline.decision import CacheOutcome, CacheStatus, Candidate, StageNote
from router_extproc.pipeline.token import ShadowPlan

#: Why a request bypasses the cache that shares with nobody.
NO_CREDENTIAL_REASON = "no-credential"


@dataclass(frozen=True, slots=True)
class CacheResult:
    """The outcome of asking the cache."""

    hit: Hit | None
    outcome: CacheOutcome
    #: Why no hit: a short word.
    reason: str
    candidates: tuple[Candidate, ...] = ()
    note: StageNote | None = None
    #: To be compared with what the pool answers.
    shadow: ShadowPlan | None = None
    #: What the client says of what would have been the hit.
    feedback: Feedback | None = None
    #: That the prompt was read as; None: it was not asked semantically.
    language: Told | None = None


#: The cache is off.
OFF = CacheResult(None, CacheOutcome("bypass", render_forward("bypass")), "off")
#: The decision does not use the cache.
BY_POLICY = CacheResult(None, CacheOutcome("bypass", render_forward("bypass")), "policy")
#: Nothing in the request says who asks, so its answers are for nobody else.
NO_CREDENTIAL = CacheResult(
    None, CacheOutcome("bypass", render_forward("bypass", detail="no credential")), NO_CREDENTIAL_REASON
)

#: The answer is for this request alone, by the reason.
BYPASSED = {
    reason: CacheResult(None, CacheOutcome("bypass", render_forward("bypass", detail=reason)), reason)
    for reason in BYPASS_REASONS
}


#: Why a hit's answer is no use: damaged or of another version; without usage, which the form has.
Unusable = Literal["unreadable", "no-usage"]


def unusable(result: CacheResult, why: Unusable) -> CacheResult:
    """The miss that a hit is whose answer cannot be replayed."""
    return replace(result, hit=None, outcome=forward_outcome("miss", "uri-miss"), reason=why)


def missed(reason: str, judged: tuple[Judged, ...], note: StageNote) -> CacheResult:
    """The miss; the client reads the similarity of the nearest candidate."""
    candidates = candidates_of(judged)
    nearest = max(map(attrgetter("similarity"), candidates), default=None)
    return CacheResult(None, forward_outcome("miss", "uri-miss", nearest), reason, candidates, note)


def forward_outcome(
    status: CacheStatus, reason: ForwardReason, similarity: float | None = None
) -> CacheOutcome:
    """What the client reads of a request that goes on to the pool."""
    return CacheOutcome(status, render_forward(reason, similarity=similarity))


def candidates_of(judged: tuple[Judged, ...]) -> tuple[Candidate, ...]:
    """The neighbours that were verified, as reports have them."""
    return tuple(
        Candidate(
            each.neighbour.entry.fingerprint,
            each.neighbour.similarity,
            each.verdict.score,
            each.verdict.accepted,
            each.verdict.reason,
        )
        for each in judged
    )
