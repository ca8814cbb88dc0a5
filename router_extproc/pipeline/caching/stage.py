"""Recall: what the cache has for an inquiry, and what the client is told of it.

It is not the cache: it asks it within the budget, and only for what directives and policy allow.
The rule it keeps: an entry whose decision is gone, or no longer caches, is never replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from router_extproc.cache.base import Partition
from router_extproc.cache.decision_policy import ScopeRules
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.freshness import age_s, ttl_left_s
from router_extproc.cache.http_caching import ForwardReason, render_forward, render_hit
from router_extproc.cache.key import fallback_fingerprint, partition
from router_extproc.cache.scope import ScopeRule, SharedScope
from router_extproc.cache.semantic_cache import Found, Hit, Judged, Miss, Query, SemanticCache
from router_extproc.clock import Clock
from router_extproc.models.base import Encoding, Vector
from router_extproc.pipeline.caching.feedback import Complaint
from router_extproc.pipeline.decision import CacheOutcome, CacheStatus, Candidate, StageNote
from router_extproc.pipeline.parsed_request import Inquiry, RequestKey
from router_extproc.pipeline.stages import run_stage
from router_extproc.pipeline.token import StorePlan, TrialPlan
from router_extproc.routing.policy import Policy, Route

STAGE = "cache"

#: Longer prompts are matched exactly only: the write token carries the prompt of a semantic entry
#: through Envoy's dynamic metadata.
SEMANTIC_PROMPT_BYTES_MAX = 8 * 1024


@dataclass(frozen=True, slots=True)
class Recalled:
    """The outcome of asking the cache."""

    hit: Hit | None
    outcome: CacheOutcome
    #: Why no hit: a short word.
    reason: str
    candidates: tuple[Candidate, ...] = ()
    note: StageNote | None = None
    #: To be compared with what the pool answers.
    trial: TrialPlan | None = None
    #: What the client says of what would have been the hit.
    complaint: Complaint | None = None


@dataclass(frozen=True, slots=True)
class Doubt:
    """How sure the cache is of itself, and who may doubt it."""

    evidence: Evidence
    #: A number from 0 to 1, each as likely as another.
    chance: Callable[[], float]
    #: Whose complaints count: of clients in scopes of their own, of all, or of nobody.
    feedback: Literal["own", "all", "off"]


@dataclass(frozen=True, slots=True)
class Recall:
    """Asks the cache."""

    cache: SemanticCache
    policy: Policy
    clock: Clock
    timeout_s: float
    #: Entries of another encoder are in other partitions.
    encoder_identity: str
    scopes: ScopeRules
    doubt: Doubt

    def exact_near(self, inquiry: Inquiry) -> Recalled | None:
        """The exact hit of this process, without any wait; None: ask again with a route."""
        if inquiry.directives.no_cache:
            return None
        if inquiry.complains and self.doubt.feedback != "off":
            return None
        for rule, key in inquiry.keys.items():
            hit = self.cache.exact_near(key.fingerprint, inquiry.directives.freshness)
            if hit is not None and self._replayable(hit, rule):
                return None if self._must_not_tell(hit, inquiry) else self._hit(hit)
        return None

    async def find(self, inquiry: Inquiry, route: Route, encoding: Encoding | None) -> Recalled:
        """What the cache has under this route."""
        if route.cache.mode == "off":
            return Recalled(None, _forward_outcome("bypass", "bypass"), "policy")
        if inquiry.directives.no_cache:
            return Recalled(None, _forward_outcome("bypass", "request"), "no-cache")
        vector = semantic_vector(inquiry, route, encoding)
        result = await run_stage(
            STAGE, self._ask(inquiry, route, vector), inquiry.budget.part(self.timeout_s)
        )
        match result.value:
            case Hit() as hit if self._replayable(hit, self.scopes.of(route.decision)):
                recalled = self._judge(_as_exact(hit, self._key(inquiry, route)), inquiry, route)
                return replace(recalled, note=result.note)
            case Hit():
                return Recalled(None, _forward_outcome("miss", "uri-miss"), "decision-gone", note=result.note)
            case Miss(reason, judged):
                return _missed(reason, judged, result.note)
            case None:
                return _missed("failed", (), result.note)

    async def exact(self, inquiry: Inquiry, route: Route) -> Recalled | None:
        """The exact hit, wherever it is stored; None: there is none."""
        key = self._key(inquiry, route)
        work = self.cache.exact(key.fingerprint, inquiry.directives.freshness)
        result = await run_stage(STAGE, work, inquiry.budget.part(self.timeout_s))
        if isinstance(result.value, Hit) and self._replayable(result.value, self.scopes.of(route.decision)):
            return replace(self._hit(result.value), note=result.note)
        return None

    def plan(self, inquiry: Inquiry, route: Route, encoding: Encoding | None) -> StorePlan | None:
        """How the coming answer is to be stored; None: not at all."""
        if route.cache.mode == "off" or inquiry.directives.no_store:
            return None
        vector, key = semantic_vector(inquiry, route, encoding), self._key(inquiry, route)
        return StorePlan(
            key.fingerprint,
            self._partition(inquiry, route),
            key.scope,
            vector,
            "" if vector is None else inquiry.request.prompt,
            route.cache,
            route.tags,
        )

    def _judge(self, hit: Hit, inquiry: Inquiry, route: Route) -> Recalled:
        """The hit, unless it is doubted or to be put to the test."""
        if self._must_not_tell(hit, inquiry):
            return Recalled(None, _forward_outcome("miss", "uri-miss"), "hidden")
        if inquiry.complains and self._may_complain(route):
            return self._complaint(hit, route)
        if hit.kind == "exact":
            return self._hit(hit)
        gate = self.doubt.evidence.gate(route.decision, self._key(inquiry, route).scope)
        rate = 1.0 if gate.is_closed else route.cache.shadow_rate
        trial = None
        if not inquiry.directives.only_if_cached and self.doubt.chance() < rate:
            trial = TrialPlan(hit.entry.fingerprint, hit.score)
        candidates = _candidates(hit.judged)
        if hit.score < gate.score_min:
            outcome = _forward_outcome("miss", "uri-miss", hit.similarity)
            return Recalled(None, outcome, "unproven", candidates, trial=trial)
        if trial is not None:
            outcome = _forward_outcome("bypass", "bypass", hit.similarity)
            return Recalled(None, outcome, "shadow", candidates, trial=trial)
        # Where hits are put to the test, each is judged anew. `no-store` is of the request, too (RFC 9111,
        # section 5.2.1.5): not even its digest is kept.
        if not rate and not inquiry.directives.no_store:
            self.cache.note(self._key(inquiry, route).fingerprint, hit)
        return self._hit(hit)

    def _must_not_tell(self, hit: Hit, inquiry: Inquiry) -> bool:
        """`only-if-cached` asks what a client of such a decision must not learn."""
        policy = self.policy.cache_policy(hit.entry.decision)
        return policy is not None and policy.hide_timing and inquiry.directives.only_if_cached

    def _may_complain(self, route: Route) -> bool:
        if self.doubt.feedback == "own":
            return not isinstance(self.scopes.of(route.decision), SharedScope)
        return self.doubt.feedback == "all"

    def _complaint(self, hit: Hit, route: Route) -> Recalled:
        score = None if hit.kind == "exact" else hit.score
        entry = hit.entry
        complaint = Complaint(entry.fingerprint, entry.scope, route.decision, score, self.clock.wall_s())
        outcome = _forward_outcome("bypass", "request")
        return Recalled(None, outcome, "feedback", _candidates(hit.judged), complaint=complaint)

    async def _ask(self, inquiry: Inquiry, route: Route, vector: Vector | None) -> Found:
        wanted = inquiry.directives.freshness
        fingerprint = self._key(inquiry, route).fingerprint
        if vector is None:
            return await self.cache.exact(fingerprint, wanted)
        if inquiry.complains and (hit := self.cache.exact_near(fingerprint, wanted)) is not None:
            return hit
        scope, where = self._key(inquiry, route).scope, self._partition(inquiry, route)
        query = Query(scope, where, vector, inquiry.request.prompt, route.cache.similarity_min, wanted)
        return await self.cache.semantic(query)

    def _key(self, inquiry: Inquiry, route: Route) -> RequestKey:
        key = inquiry.keys[self.scopes.of(route.decision)]
        if route.fallback_of is None:
            return key
        return replace(key, fingerprint=fallback_fingerprint(key.fingerprint, route.target.model))

    def _partition(self, inquiry: Inquiry, route: Route) -> Partition:
        scope = self._key(inquiry, route).scope
        # No name of a decision has a ">": a stand-in's answers are for nobody once the pool is back.
        decision = route.decision if route.fallback_of is None else f"{route.decision}>{route.target.model}"
        return partition(scope, inquiry.request, decision=decision, encoder=self.encoder_identity)

    def _replayable(self, hit: Hit, rule: ScopeRule) -> bool:
        """`rule`: under which the hit was found; its decision may have another one by now."""
        policy = self.policy.cache_policy(hit.entry.decision)
        if policy is None or policy.mode == "off" or self.scopes.of(hit.entry.decision) != rule:
            return False
        return hit.kind == "exact" or policy.mode == "semantic"

    def _hit(self, hit: Hit) -> Recalled:
        now_s = self.clock.wall_s()
        status: CacheStatus = "hit-exact" if hit.kind == "exact" else "hit-semantic"
        told = render_hit(kind=hit.kind, similarity=hit.similarity, ttl_s=ttl_left_s(hit.entry, now_s))
        outcome = CacheOutcome(status, told, age_s(hit.entry, now_s))
        policy = self.policy.cache_policy(hit.entry.decision)
        hidden = policy is not None and policy.hide_timing
        return Recalled(hit, replace(outcome, hidden=hidden), "", _candidates(hit.judged))


#: The cache is off: what the client is told.
OFF = Recalled(None, CacheOutcome("bypass", render_forward("bypass")), "off")


def semantic_vector(inquiry: Inquiry, route: Route, encoding: Encoding | None) -> Vector | None:
    """The vector by which the inquiry may be matched, or None: exactly only."""
    if encoding is None or route.cache.mode != "semantic" or not inquiry.request.prompt_is_last:
        return None
    if route.cache.multi_turn == "exact" and inquiry.request.history:
        return None
    size = len(inquiry.request.prompt.encode("utf-8", "surrogatepass"))
    return encoding.vector if encoding.is_faithful and size <= SEMANTIC_PROMPT_BYTES_MAX else None


def _as_exact(hit: Hit, key: RequestKey) -> Hit:
    """A neighbour that is the very same request (another worker stored it) is an exact hit."""
    return replace(hit, kind="exact") if hit.entry.fingerprint == key.fingerprint else hit


def _missed(reason: str, judged: tuple[Judged, ...], note: StageNote) -> Recalled:
    nearest = max((each.neighbour.similarity for each in judged), default=None)
    outcome = _forward_outcome("miss", "uri-miss", nearest)
    return Recalled(None, outcome, reason, _candidates(judged), note)


def _forward_outcome(
    status: CacheStatus, reason: ForwardReason, similarity: float | None = None
) -> CacheOutcome:
    return CacheOutcome(status, render_forward(reason, similarity=similarity))


def _candidates(judged: tuple[Judged, ...]) -> tuple[Candidate, ...]:
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
