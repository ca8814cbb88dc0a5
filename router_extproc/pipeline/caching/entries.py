"""Where the entries of a request are, and whether it may have one that was found."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router_extproc.cache.base import Partition
from router_extproc.cache.decision_policy import CachePolicies, CachePolicy, KeyRule
from router_extproc.cache.key import fallback_fingerprint, partition
from router_extproc.cache.results import Hit
from router_extproc.pipeline.caching.question import CacheQuestion
from router_extproc.pipeline.parsed_request import ParsedRequest, RequestKey
from router_extproc.pipeline.token import PiecesPlan
from router_extproc.pipeline.upstream import Answerers, answerer_of
from router_extproc.routing.route import Route


@dataclass(frozen=True, slots=True)
class EntryRules:
    """Rules of the configuration in force, for entries that earlier ones may have stored."""

    policies: CachePolicies
    answerers: Answerers
    #: Entries of another encoder are in other partitions.
    encoder_identity: str

    def place(self, key: RequestKey, route: Route) -> tuple[RequestKey, Partition]:
        """The key under this route, and the partition."""
        decision = route.decision
        if route.fallback_of is not None:
            # No name of a decision has a ">": what a fallback answers is for nobody once the pool is back.
            model = route.target.model
            key = replace(key, fingerprint=fallback_fingerprint(key.fingerprint, model))
            decision = f"{decision}>{model}"
        return key, self._partition(key, decision, answerer_of(route))

    def pieces(self, key: RequestKey, route: Route) -> PiecesPlan | None:
        """Where the pieces of the request are under this route.

        A decision that redacts numbers its placeholders through the whole request: no piece is as if alone.
        """
        pieces = key.pieces
        if pieces is None or route.redaction is not None:
            return None
        where = self._partition(replace(key, context=pieces.context), route.decision, answerer_of(route))
        return PiecesPlan(where, pieces.fingerprints, pieces.sizes)

    def fits(self, hit: Hit, question: CacheQuestion) -> bool:
        """Whether this very question may have the hit's answer, as the configuration in force says."""
        if hit.entry.partition != question.partition and not hit.pieces:
            return self.replayable(hit, question.policy.key_rule, question.key, question.parsed)
        return self._allows(hit, question.policy.key_rule)

    def replayable(self, hit: Hit, rule: KeyRule, key: RequestKey, parsed: ParsedRequest) -> bool:
        """The same for a hit that was found without a route; its partition tells who answered."""
        entry = hit.entry
        answerer = self.answerers.of(entry.decision, entry.model, pinned=parsed.pinned_under(entry.decision))
        if answerer is None or not self._allows(hit, rule):
            return False
        return entry.partition == self._partition(key, entry.decision, answerer)

    def _allows(self, hit: Hit, rule: KeyRule) -> bool:
        """`rule`: under which the hit was found; its decision may have another one by now."""
        policy = self.policy_of(hit)
        if policy is None or policy.mode == "off" or policy.key_rule != rule:
            return False
        return hit.kind == "exact" or policy.mode == "semantic"

    def policy_of(self, hit: Hit) -> CachePolicy | None:
        """Of the decision that stored the entry; None: it is gone."""
        return self.policies.of(hit.entry.decision)

    def must_hide(self, hit: Hit, parsed: ParsedRequest) -> bool:
        """`only-if-cached` asks what a client of a decision with `hide_timing` must not learn."""
        policy = self.policy_of(hit)
        return policy is not None and policy.hide_timing and parsed.directives.only_if_cached

    def _partition(self, key: RequestKey, decision: str, answerer: str) -> Partition:
        """Where entries of this request are, and where its neighbours are looked for."""
        return partition(
            key.scope, key.context, decision=decision, answerer=answerer, encoder=self.encoder_identity
        )
