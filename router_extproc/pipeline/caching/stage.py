"""The cache stage: looks a request up in the cache, and says what the client learns about it.

A semantic hit is an answer only when the evidence for its decision allows it; some are sent to the pool all
the same, to be compared with the fresh answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from router_extproc.cache.base import Fingerprint, Partition
from router_extproc.cache.decision_policy import CachePolicy, KeyRule
from router_extproc.cache.false_hits.evidence import Gates
from router_extproc.cache.freshness import age_s, ttl_left_s
from router_extproc.cache.http_caching import render_hit
from router_extproc.cache.results import CacheLookup, Found, Hit, Miss
from router_extproc.cache.scope import SharedScope
from router_extproc.clock import Clock
from router_extproc.models.base import Encoding
from router_extproc.pipeline.caching.entries import EntryRules
from router_extproc.pipeline.caching.feedback import Feedback
from router_extproc.pipeline.caching.pieces import join, join_near
from router_extproc.pipeline.caching.question import (
    CacheQuestion,
    SemanticMatching,
    needs_vector,
    semantic_vector,
)
from router_extproc.pipeline.caching.result import (
    BY_POLICY,
    BYPASSED,
    NO_CREDENTIAL,
    OFF,
    CacheResult,
    candidates_of,
    forward_outcome,
    missed,
)
from router_extproc.pipeline.caching.reuse import Bypass
from router_extproc.pipeline.decision import CacheOutcome, CacheStatus
from router_extproc.pipeline.parsed_request import ParsedRequest, RequestKey
from router_extproc.pipeline.stages import run_stage
from router_extproc.pipeline.token import ShadowPlan
from router_extproc.routing.route import Route

STAGE = "cache"


@dataclass(frozen=True, slots=True)
class ShadowSampling:
    """Which semantic hits are compared with fresh answers, and whose feedback counts."""

    evidence: Gates
    #: A number from 0 to 1, each as likely as another.
    chance: Callable[[], float]
    #: Of clients in scopes of their own, of all, or of nobody.
    feedback: Literal["own", "all", "off"]


@dataclass(frozen=True, slots=True)
class CacheStage:
    """Looks requests up, within a time limit; a lookup that fails is a miss."""

    cache: CacheLookup
    entries: EntryRules
    clock: Clock
    timeout_s: float
    shadow_sampling: ShadowSampling
    matching: SemanticMatching

    def read_only(self) -> CacheStage:
        """The same stage for requests that are only explained: nothing of the cache changes.

        A semantic hit is taken for a shadow comparison only where every one is: no lot is drawn.
        """
        gates = self.shadow_sampling.evidence.read_only()
        sampling = replace(self.shadow_sampling, evidence=gates, chance=_highest_chance)
        return replace(self, cache=self.cache.read_only(), shadow_sampling=sampling)

    def exact_near(self, parsed: ParsedRequest) -> CacheResult | None:
        """The exact hit of this process, without any wait; None: ask again with a route."""
        if parsed.directives.no_cache or isinstance(parsed.reuse, Bypass):
            return None
        if parsed.gives_feedback and self.shadow_sampling.feedback != "off":
            return None
        for rule, key in parsed.keys.items():
            hit = self._whole_near(rule, key, parsed) or self._pieces_near(rule, key, parsed)
            if hit is not None:
                return None if self.entries.must_hide(hit, parsed) else self._hit(hit)
        return None

    def _whole_near(self, rule: KeyRule, key: RequestKey, parsed: ParsedRequest) -> Hit | None:
        hit, pieces = self.cache.exact_near(key.fingerprint, parsed.directives.freshness), key.pieces
        if hit is not None and pieces is not None and pieces.fingerprints == (hit.entry.fingerprint,):
            # The entry of its only piece, noted under the request.
            hit, key = replace(hit, pieces=(hit.entry,)), replace(key, context=pieces.context)
        return hit if hit is not None and self.entries.replayable(hit, rule, key, parsed) else None

    def _pieces_near(self, rule: KeyRule, key: RequestKey, parsed: ParsedRequest) -> Hit | None:
        """The same from entries of all its pieces, where no decision reads what they say together."""
        if key.pieces is None or self.entries.answerers.routing.pinning:
            return None
        hit = join_near(self.cache, key.pieces.fingerprints, parsed)
        of_pieces = replace(key, context=key.pieces.context)
        return hit if hit is not None and self.entries.replayable(hit, rule, of_pieces, parsed) else None

    def needs_encoding(self, parsed: ParsedRequest) -> bool:
        """Whether some decision that may take the request has a use for its encoding."""
        if isinstance(parsed.reuse, Bypass):
            return False
        policies = self.entries.policies.every if parsed.pinned is None else self._policies_of_pinned()
        if not any(policy.key_rule in parsed.keys and needs_vector(parsed, policy) for policy in policies):
            return False
        return self.matching.reads(parsed)

    def _policies_of_pinned(self) -> Sequence[CachePolicy]:
        """Of requests that name a model, whether a decision takes them or not."""
        own = (self.entries.policies.of(decision) for decision in self.entries.answerers.routing.pinning)
        return (self.entries.policies.pinned, *(policy for policy in own if policy is not None))

    def question(
        self, parsed: ParsedRequest, route: Route, encoding: Encoding | None
    ) -> CacheQuestion | CacheResult:
        """All that the cache is asked about this request on this route; or, without asking, the outcome."""
        policy = self.entries.policies.of(route.decision)
        if policy is None:
            return OFF
        if policy.mode == "off":
            return BY_POLICY
        key = parsed.keys.get(policy.key_rule)
        if key is None:
            return NO_CREDENTIAL
        if isinstance(parsed.reuse, Bypass):
            return BYPASSED[parsed.reuse.reason]
        key, where = self.entries.place(key, route)
        vector = semantic_vector(parsed, policy, encoding, self.matching)
        may_store, pieces = not route.may_act, self.entries.pieces(key, route)
        return CacheQuestion(
            parsed, route.decision, policy, key, where, vector, route.tags, may_store, pieces
        )

    def keys_under(self, question: CacheQuestion, route: Route) -> tuple[Fingerprint, Partition]:
        """Under which the answer to the same question is stored when another model gives it."""
        key, where = self.entries.place(question.parsed.keys[question.policy.key_rule], route)
        return key.fingerprint, where

    async def find(self, question: CacheQuestion) -> CacheResult:
        """What the cache has for the question."""
        result = await self._find(question)
        if result.outcome.status == "bypass" or not needs_vector(question.parsed, question.policy):
            return result
        return replace(result, language=self.matching.languages.read(question.parsed.request.prompt))

    async def _find(self, question: CacheQuestion) -> CacheResult:
        if question.parsed.directives.no_cache:
            return CacheResult(None, forward_outcome("bypass", "request"), "no-cache")
        budget = question.parsed.budget.part(self.timeout_s)
        result = await run_stage(STAGE, self._look_up(question), budget)
        match result.value:
            case Hit() as hit if self.entries.fits(hit, question):
                return replace(self._judge(_as_exact(hit, question.key), question), note=result.note)
            case Hit():
                return missed("decision-gone", (), result.note)
            case Miss(reason, judged):
                return missed(reason, judged, result.note)
            case None:
                return missed("failed", (), result.note)

    async def exact(self, question: CacheQuestion) -> CacheResult | None:
        """The exact hit, wherever it is stored; None: there is none."""
        result = await run_stage(STAGE, self._exact(question), question.parsed.budget.part(self.timeout_s))
        if isinstance(result.value, Hit) and self.entries.fits(result.value, question):
            return replace(self._hit(result.value), note=result.note)
        return None

    async def _look_up(self, question: CacheQuestion) -> Found:
        query, fingerprint = question.query, question.key.fingerprint
        freshness = question.parsed.directives.freshness
        if query is None:
            return await self._exact(question)
        if question.parsed.gives_feedback:
            # It may be about an exact hit; without feedback that was answered before any inference.
            hit = self.cache.exact_near(fingerprint, freshness)
            if hit is not None:
                return hit
        return await self.cache.semantic(query)

    async def _exact(self, question: CacheQuestion) -> Found:
        """The exact hit: of all pieces, or of the whole request."""
        if question.pieces is not None:
            joined = await join(self.cache, question.pieces, question.parsed)
            if joined is not None:
                self._note(question, joined)
                return joined
        return await self.cache.exact(question.key.fingerprint, question.parsed.directives.freshness)

    def _note(self, question: CacheQuestion, joined: Hit) -> None:
        """Let the same request find its only piece before any inference from now on."""
        if len(joined.pieces) == 1 and not question.parsed.directives.no_store:
            self.cache.note(question.key.fingerprint, replace(joined, entry=joined.pieces[0]))

    def _judge(self, hit: Hit, question: CacheQuestion) -> CacheResult:
        """The hit, unless the client must not learn of it, or says that it is wrong."""
        parsed = question.parsed
        if self.entries.must_hide(hit, parsed):
            return CacheResult(None, forward_outcome("miss", "uri-miss"), "hidden")
        if parsed.gives_feedback and self._may_give_feedback(question):
            return self._feedback(hit, question)
        return self._hit(hit) if hit.kind == "exact" else self._sample(hit, question)

    def _sample(self, hit: Hit, question: CacheQuestion) -> CacheResult:
        """A semantic hit, unless the evidence forbids it or it is drawn for a shadow comparison."""
        directives, candidates = question.parsed.directives, candidates_of(hit.judged)
        gate = self.shadow_sampling.evidence.gate(question.decision, question.key.scope)
        rate = 1.0 if gate.is_closed else question.policy.shadow_rate
        shadow = None
        if not directives.only_if_cached and self.shadow_sampling.chance() < rate:
            shadow = ShadowPlan(hit.entry.fingerprint, hit.score)
        if hit.score < gate.score_min:
            outcome = forward_outcome("miss", "uri-miss", hit.similarity)
            return CacheResult(None, outcome, "unproven", candidates, shadow=shadow)
        if shadow is not None:
            outcome = forward_outcome("bypass", "bypass", hit.similarity)
            return CacheResult(None, outcome, "shadow", candidates, shadow=shadow)
        # As an exact hit it would never be compared. `no-store` is of the request, too (RFC 9111, section
        # 5.2.1.5): not even its digest is kept.
        if not rate and not directives.no_store:
            self.cache.note(question.key.fingerprint, hit)
        return self._hit(hit)

    def _may_give_feedback(self, question: CacheQuestion) -> bool:
        if self.shadow_sampling.feedback == "own":
            return not isinstance(question.policy.scope, SharedScope)
        return self.shadow_sampling.feedback == "all"

    def _feedback(self, hit: Hit, question: CacheQuestion) -> CacheResult:
        score = None if hit.kind == "exact" else hit.score
        entry, now_s = hit.entry, self.clock.wall_s()
        feedback = Feedback(entry.fingerprint, entry.scope, question.decision, score, now_s)
        outcome = forward_outcome("bypass", "request")
        return CacheResult(None, outcome, "feedback", candidates_of(hit.judged), feedback=feedback)

    def _hit(self, hit: Hit) -> CacheResult:
        now_s, policy = self.clock.wall_s(), self.entries.policy_of(hit)
        status: CacheStatus = "hit-exact" if hit.kind == "exact" else "hit-semantic"
        header = render_hit(kind=hit.kind, similarity=hit.similarity, ttl_s=ttl_left_s(hit.entry, now_s))
        hidden = policy is not None and policy.hide_timing
        outcome = CacheOutcome(status, header, age_s(hit.entry, now_s), hidden)
        return CacheResult(hit, outcome, "", candidates_of(hit.judged))


def _highest_chance() -> float:
    """As `random.random`: below every rate of one, and of no other."""
    return math.nextafter(1.0, 0.0)


def _as_exact(hit: Hit, key: RequestKey) -> Hit:
    """A neighbour that is the very same request (another worker stored it) is an exact hit."""
    return replace(hit, kind="exact") if hit.entry.fingerprint == key.fingerprint else hit
