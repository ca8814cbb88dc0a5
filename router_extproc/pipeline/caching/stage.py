"""The cache stage: what the cache has for a request, and what the client is told about it."""

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
from router_extproc.pipeline.caching.feedback import Feedback
from router_extproc.pipeline.decision import CacheOutcome, CacheStatus, Candidate, StageNote
from router_extproc.pipeline.parsed_request import ParsedRequest, RequestKey
from router_extproc.pipeline.stages import run_stage
from router_extproc.pipeline.token import ShadowPlan, StorePlan
from router_extproc.routing.policy import Policy, Route

STAGE = "cache"

#: Longer prompts are matched exactly only: the write token carries the prompt of a semantic entry
#: through Envoy's dynamic metadata.
SEMANTIC_PROMPT_BYTES_MAX = 8 * 1024


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


@dataclass(frozen=True, slots=True)
class ShadowSampling:
    """How sure the cache is of itself, and who may doubt it."""

    evidence: Evidence
    #: A number from 0 to 1, each as likely as another.
    chance: Callable[[], float]
    #: Whose feedback count: of clients in scopes of their own, of all, or of nobody.
    feedback: Literal["own", "all", "off"]


@dataclass(frozen=True, slots=True)
class CacheStage:
    """Asks the cache."""

    cache: SemanticCache
    policy: Policy
    clock: Clock
    timeout_s: float
    #: Entries of another encoder are in other partitions.
    encoder_identity: str
    scopes: ScopeRules
    shadow_sampling: ShadowSampling

    def exact_near(self, parsed: ParsedRequest) -> CacheResult | None:
        """The exact hit of this process, without any wait; None: ask again with a route."""
        if parsed.directives.no_cache:
            return None
        if parsed.gives_feedback and self.shadow_sampling.feedback != "off":
            return None
        for rule, key in parsed.keys.items():
            hit = self.cache.exact_near(key.fingerprint, parsed.directives.freshness)
            if hit is not None and self._replayable(hit, rule):
                return None if self._must_not_tell(hit, parsed) else self._hit(hit)
        return None

    async def find(self, parsed: ParsedRequest, route: Route, encoding: Encoding | None) -> CacheResult:
        """What the cache has under this route."""
        if route.cache.mode == "off":
            return CacheResult(None, _forward_outcome("bypass", "bypass"), "policy")
        if parsed.directives.no_cache:
            return CacheResult(None, _forward_outcome("bypass", "request"), "no-cache")
        vector = semantic_vector(parsed, route, encoding)
        result = await run_stage(STAGE, self._ask(parsed, route, vector), parsed.budget.part(self.timeout_s))
        match result.value:
            case Hit() as hit if self._replayable(hit, self.scopes.of(route.decision)):
                cached = self._judge(_as_exact(hit, self._key(parsed, route)), parsed, route)
                return replace(cached, note=result.note)
            case Hit():
                return CacheResult(
                    None, _forward_outcome("miss", "uri-miss"), "decision-gone", note=result.note
                )
            case Miss(reason, judged):
                return _missed(reason, judged, result.note)
            case None:
                return _missed("failed", (), result.note)

    async def exact(self, parsed: ParsedRequest, route: Route) -> CacheResult | None:
        """The exact hit, wherever it is stored; None: there is none."""
        key = self._key(parsed, route)
        work = self.cache.exact(key.fingerprint, parsed.directives.freshness)
        result = await run_stage(STAGE, work, parsed.budget.part(self.timeout_s))
        if isinstance(result.value, Hit) and self._replayable(result.value, self.scopes.of(route.decision)):
            return replace(self._hit(result.value), note=result.note)
        return None

    def plan(self, parsed: ParsedRequest, route: Route, encoding: Encoding | None) -> StorePlan | None:
        """How the coming answer is to be stored; None: not at all."""
        if route.cache.mode == "off" or parsed.directives.no_store:
            return None
        vector, key = semantic_vector(parsed, route, encoding), self._key(parsed, route)
        return StorePlan(
            key.fingerprint,
            self._partition(parsed, route),
            key.scope,
            vector,
            "" if vector is None else parsed.request.prompt,
            route.cache,
            route.tags,
        )

    def _judge(self, hit: Hit, parsed: ParsedRequest, route: Route) -> CacheResult:
        """The hit, unless it is doubted or to be put to the test."""
        if self._must_not_tell(hit, parsed):
            return CacheResult(None, _forward_outcome("miss", "uri-miss"), "hidden")
        if parsed.gives_feedback and self._may_give_feedback(route):
            return self._feedback(hit, route)
        if hit.kind == "exact":
            return self._hit(hit)
        gate = self.shadow_sampling.evidence.gate(route.decision, self._key(parsed, route).scope)
        rate = 1.0 if gate.is_closed else route.cache.shadow_rate
        shadow = None
        if not parsed.directives.only_if_cached and self.shadow_sampling.chance() < rate:
            shadow = ShadowPlan(hit.entry.fingerprint, hit.score)
        candidates = _candidates(hit.judged)
        if hit.score < gate.score_min:
            outcome = _forward_outcome("miss", "uri-miss", hit.similarity)
            return CacheResult(None, outcome, "unproven", candidates, shadow=shadow)
        if shadow is not None:
            outcome = _forward_outcome("bypass", "bypass", hit.similarity)
            return CacheResult(None, outcome, "shadow", candidates, shadow=shadow)
        # Where hits are put to the test, each is judged anew. `no-store` is of the request, too (RFC 9111,
        # section 5.2.1.5): not even its digest is kept.
        if not rate and not parsed.directives.no_store:
            self.cache.note(self._key(parsed, route).fingerprint, hit)
        return self._hit(hit)

    def _must_not_tell(self, hit: Hit, parsed: ParsedRequest) -> bool:
        """`only-if-cached` asks what a client of such a decision must not learn."""
        policy = self.policy.cache_policy(hit.entry.decision)
        return policy is not None and policy.hide_timing and parsed.directives.only_if_cached

    def _may_give_feedback(self, route: Route) -> bool:
        if self.shadow_sampling.feedback == "own":
            return not isinstance(self.scopes.of(route.decision), SharedScope)
        return self.shadow_sampling.feedback == "all"

    def _feedback(self, hit: Hit, route: Route) -> CacheResult:
        score = None if hit.kind == "exact" else hit.score
        entry = hit.entry
        feedback = Feedback(entry.fingerprint, entry.scope, route.decision, score, self.clock.wall_s())
        outcome = _forward_outcome("bypass", "request")
        return CacheResult(None, outcome, "feedback", _candidates(hit.judged), feedback=feedback)

    async def _ask(self, parsed: ParsedRequest, route: Route, vector: Vector | None) -> Found:
        wanted = parsed.directives.freshness
        fingerprint = self._key(parsed, route).fingerprint
        if vector is None:
            return await self.cache.exact(fingerprint, wanted)
        if parsed.gives_feedback and (hit := self.cache.exact_near(fingerprint, wanted)) is not None:
            return hit
        scope, where = self._key(parsed, route).scope, self._partition(parsed, route)
        query = Query(scope, where, vector, parsed.request.prompt, route.cache.similarity_min, wanted)
        return await self.cache.semantic(query)

    def _key(self, parsed: ParsedRequest, route: Route) -> RequestKey:
        key = parsed.keys[self.scopes.of(route.decision)]
        if route.fallback_of is None:
            return key
        return replace(key, fingerprint=fallback_fingerprint(key.fingerprint, route.target.model))

    def _partition(self, parsed: ParsedRequest, route: Route) -> Partition:
        scope = self._key(parsed, route).scope
        # No name of a decision has a ">": a stand-in's answers are for nobody once the pool is back.
        decision = route.decision if route.fallback_of is None else f"{route.decision}>{route.target.model}"
        return partition(scope, parsed.request, decision=decision, encoder=self.encoder_identity)

    def _replayable(self, hit: Hit, rule: ScopeRule) -> bool:
        """`rule`: under which the hit was found; its decision may have another one by now."""
        policy = self.policy.cache_policy(hit.entry.decision)
        if policy is None or policy.mode == "off" or self.scopes.of(hit.entry.decision) != rule:
            return False
        return hit.kind == "exact" or policy.mode == "semantic"

    def _hit(self, hit: Hit) -> CacheResult:
        now_s = self.clock.wall_s()
        status: CacheStatus = "hit-exact" if hit.kind == "exact" else "hit-semantic"
        told = render_hit(kind=hit.kind, similarity=hit.similarity, ttl_s=ttl_left_s(hit.entry, now_s))
        outcome = CacheOutcome(status, told, age_s(hit.entry, now_s))
        policy = self.policy.cache_policy(hit.entry.decision)
        hidden = policy is not None and policy.hide_timing
        return CacheResult(hit, replace(outcome, hidden=hidden), "", _candidates(hit.judged))


#: The cache is off: what the client is told.
OFF = CacheResult(None, CacheOutcome("bypass", render_forward("bypass")), "off")


def semantic_vector(parsed: ParsedRequest, route: Route, encoding: Encoding | None) -> Vector | None:
    """The vector by which the request may be matched, or None: exactly only."""
    if encoding is None or route.cache.mode != "semantic" or not parsed.request.prompt_is_last:
        return None
    if route.cache.multi_turn == "exact" and parsed.request.history:
        return None
    size = len(parsed.request.prompt.encode("utf-8", "surrogatepass"))
    return encoding.vector if encoding.is_faithful and size <= SEMANTIC_PROMPT_BYTES_MAX else None


def _as_exact(hit: Hit, key: RequestKey) -> Hit:
    """A neighbour that is the very same request (another worker stored it) is an exact hit."""
    return replace(hit, kind="exact") if hit.entry.fingerprint == key.fingerprint else hit


def _missed(reason: str, judged: tuple[Judged, ...], note: StageNote) -> CacheResult:
    nearest = max((each.neighbour.similarity for each in judged), default=None)
    outcome = _forward_outcome("miss", "uri-miss", nearest)
    return CacheResult(None, outcome, reason, _candidates(judged), note)


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
