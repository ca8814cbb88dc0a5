"""Shadow comparisons (the answer that the cache held, against the one that the pool gave) and feedback.

Both are background tasks. A comparison counts only when both answers are complete; a client's feedback
removes an entry of that client's scope and no other.
"""

from __future__ import annotations

from typing import Final

from router_extproc.cache.base import Entry, Selector
from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.cache.false_hits.evidence import Evidence
from router_extproc.cache.false_hits.threshold import ShadowResult
from router_extproc.cache.results import Hit
from router_extproc.cache.semantic_cache import SemanticCache
from router_extproc.llm.answer import Answer
from router_extproc.llm.stored import decode_answer
from router_extproc.models.base import Inference
from router_extproc.pipeline.background import TASK_S, BackgroundTasks
from router_extproc.pipeline.caching.feedback import Feedback
from router_extproc.pipeline.token import ShadowPlan


class ShadowComparisons:
    """Compares answers and takes feedback; no request waits for it."""

    def __init__(
        self,
        cache: SemanticCache,
        evidence: Evidence,
        background: BackgroundTasks,
        comparison: AnswerComparison,
        inference: Inference,
    ) -> None:
        self._cache: Final = cache
        self._evidence: Final = evidence
        self._background: Final = background
        self._comparison: Final = comparison
        self._inference: Final = inference

    def compare(self, plan: ShadowPlan, decision: str, fresh: Answer) -> None:
        """Compare the entry that would have been the hit with the pool's answer, soon."""
        self._background.offer(lambda: self._compare(plan, decision, fresh))

    def take_feedback(self, feedback: Feedback) -> None:
        """Count it as evidence, and remove the entry soon."""
        if feedback.score is not None:
            shadow = ShadowResult(feedback.score, wrong=True)
            self._evidence.record_feedback(feedback.decision, shadow, source="client", scope=feedback.scope)
        self._background.offer(lambda: self._remove(feedback))

    async def _compare(self, plan: ShadowPlan, decision: str, fresh: Answer) -> bool:
        found = await self._cache.lookup.exact(plan.fingerprint)
        cached = _answer(found.entry) if isinstance(found, Hit) else None
        if cached is None:
            return False
        same = await self._inference.run(lambda: self._comparison.same(cached, fresh), timeout_s=TASK_S)
        self._evidence.record(decision, ShadowResult(plan.score, wrong=not same))
        return True

    async def _remove(self, feedback: Feedback) -> bool:
        selector = Selector(feedback.fingerprint, feedback.scope, created_max_s=feedback.at_s)
        await self._cache.purge(selector)
        return True


def _answer(entry: Entry) -> Answer | None:
    try:
        return decode_answer(entry.answer)
    except ValueError:
        return None
