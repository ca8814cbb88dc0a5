"""What one request asks of the cache under one route: made once, for the lookup, the store and every wait."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router_extproc.cache.base import Partition
from router_extproc.cache.decision_policy import CachePolicy, StoreRules
from router_extproc.cache.results import Query
from router_extproc.clock import Budget
from router_extproc.equivalence.languages import Languages
from router_extproc.models.base import Encoding, Vector
from router_extproc.pipeline.caching.reuse import Bypass
from router_extproc.pipeline.caching.word_vector import word_vector
from router_extproc.pipeline.parsed_request import ParsedRequest, RequestKey
from router_extproc.pipeline.token import PiecesPlan, StorePlan

#: Longer prompts are matched exactly only: the write token carries the prompt of a semantic entry
#: through Envoy's dynamic metadata.
SEMANTIC_PROMPT_BYTES_MAX = 8 * 1024


@dataclass(frozen=True, slots=True)
class CacheQuestion:
    """A request, its keys under the route's decision, and what the cache may do for that decision."""

    parsed: ParsedRequest
    decision: str
    policy: CachePolicy
    #: Under the policy's scope rule.
    key: RequestKey
    partition: Partition
    #: None: exact matches only.
    vector: Vector | None
    #: Of the coming entry.
    tags: tuple[str, ...]
    #: False: the answer is for this request alone, for an equal one may not be sent to a pool.
    may_store: bool = True
    #: Where its pieces are; None: it is asked for as a whole only.
    pieces: PiecesPlan | None = None

    @property
    def query(self) -> Query | None:
        """What is asked of the semantic tier; None: nothing."""
        if self.vector is None:
            return None
        prompt, freshness = self.parsed.request.prompt, self.parsed.directives.freshness
        return Query(
            self.key.scope, self.partition, self.vector, prompt, self.policy.similarity_min, freshness
        )

    @property
    def store_plan(self) -> StorePlan | None:
        """How the coming answer is to be stored; None: not at all."""
        if self.policy.mode == "off" or self.parsed.directives.no_store or not self.may_store:
            return None
        prompt = "" if self.vector is None else self.parsed.request.prompt
        key = self.key
        return StorePlan(
            key.fingerprint,
            self.partition,
            key.scope,
            self.vector,
            prompt,
            self._store_rules,
            self.tags,
            self.parsed.vary,
            self.pieces,
            self.parsed.request.answers,
        )

    @property
    def _store_rules(self) -> StoreRules:
        """The policy's, of an answer that is true only now for a shorter time."""
        rules, reuse = self.policy.store_rules, self.parsed.reuse
        return rules if isinstance(reuse, Bypass) else replace(rules, ttl_s=reuse.ttl_s(rules.ttl_s))

    @property
    def may_coalesce(self) -> bool:
        """Whether equal requests may share the coming answer: whoever waits takes it from the cache."""
        return self.store_plan is not None

    def within(self, budget: Budget) -> CacheQuestion:
        """The same question, to be answered in other time."""
        return replace(self, parsed=replace(self.parsed, budget=budget))


def needs_vector(parsed: ParsedRequest, policy: CachePolicy) -> bool:
    """Whether the cache looks the request up, or stores it, by a vector; known before any inference."""
    if policy.mode != "semantic" or not parsed.request.prompt_is_last:
        return False
    if not parsed.ask.is_plain:
        # The verifier compares questions; two blocks of a client may differ in what no question tells.
        return False
    if policy.multi_turn == "exact" and parsed.request.history:
        return False
    if parsed.directives.no_cache and parsed.directives.no_store:
        return False
    return len(parsed.request.prompt.encode("utf-8", "surrogatepass")) <= SEMANTIC_PROMPT_BYTES_MAX


@dataclass(frozen=True, slots=True)
class SemanticMatching:
    """Which texts may be matched with others, and how long vectors are."""

    languages: Languages
    dim: int

    def reads(self, parsed: ParsedRequest) -> bool:
        """True when other words may share the request's answer: only then its encoding is of use."""
        return self.languages.read(parsed.request.prompt).is_matched


def semantic_vector(
    parsed: ParsedRequest, policy: CachePolicy, encoding: Encoding | None, matching: SemanticMatching
) -> Vector | None:
    """The vector by which the request may be matched, or None: exactly only."""
    if not needs_vector(parsed, policy):
        return None
    if not matching.reads(parsed):
        return word_vector(parsed.request.prompt, matching.dim)
    if encoding is None:
        return None
    if encoding.is_faithful:
        return encoding.vector
    # Unknown tokens (Chinese characters) make vectors alike, but the language's own file compares the texts.
    whole = encoding.tokens > 0 and not encoding.truncated
    return encoding.vector if whole and matching.languages.compares(parsed.request.prompt) else None
