"""Trials: what the cache would have answered against what the pool did answer; and complaints.

It is not on the client's path. The rules it keeps: a trial counts only when both answers are complete; a
complaint removes an entry of the complaining client's scope and no other.
"""

from __future__ import annotations

from typing import Final

from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.false_hits.threshold import Trial
from router_extproc.cache.results import Hit
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.llm.answer import Answer
from router_extproc.llm.stored import decode_answer
from router_extproc.models.base import Inference
from router_extproc.pipeline.background import CHORE_S, Chores
from router_extproc.pipeline.caching.feedback import Complaint
from router_extproc.pipeline.token import TrialPlan


class Trials:
    """Compares answers and takes complaints, behind the requests."""

    def __init__(
        self,
        cache: SemanticCache,
        evidence: Evidence,
        chores: Chores,
        comparison: AnswerComparison,
        inference: Inference,
    ) -> None:
        self._cache: Final = cache
        self._evidence: Final = evidence
        self._chores: Final = chores
        self._comparison: Final = comparison
        self._inference: Final = inference

    def compare(self, plan: TrialPlan, decision: str, fresh: Answer) -> None:
        """Compare soon what would have been the hit with the answer that came."""
        self._chores.offer(lambda: self._compare(plan, decision, fresh))

    def complain(self, complaint: Complaint) -> None:
        """Count it as evidence, and remove the entry soon."""
        if complaint.score is not None:
            trial = Trial(complaint.score, wrong=True)
            self._evidence.complained(complaint.decision, trial, source="client", scope=complaint.scope)
        self._chores.offer(lambda: self._remove(complaint))

    async def _compare(self, plan: TrialPlan, decision: str, fresh: Answer) -> bool:
        found = await self._cache.exact(plan.fingerprint)
        cached = _answer(found.entry) if isinstance(found, Hit) else None
        if cached is None:
            return False
        same = await self._inference.run(lambda: self._comparison.same(cached, fresh), timeout_s=CHORE_S)
        self._evidence.tried(decision, Trial(plan.score, wrong=not same))
        return True

    async def _remove(self, complaint: Complaint) -> bool:
        selector = Selector(complaint.fingerprint, complaint.scope, created_max_s=complaint.at_s)
        await self._cache.purge(selector)
        return True


def _answer(entry: Entry) -> Answer | None:
    try:
        return decode_answer(entry.answer)
    except ValueError:
        return None
