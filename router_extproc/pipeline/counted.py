"""Reports as they are added to accounts of costs."""

from __future__ import annotations

from router_extproc.llm.answer import Usage
from router_extproc.pipeline.costs import Counted
from router_extproc.pipeline.decision import Replay
from router_extproc.pipeline.report import AnswerReport


def counted_hit(hit: Replay) -> Counted | None:
    """A hit; None: the pool that answered first has reported no usage."""
    worth = hit.saved.worth
    usage = None if worth.unmeasured_hits else Usage(worth.prompt_tokens, worth.completion_tokens)
    return Counted.of(hit.model, hit.decision, "cache", usage, hit.compared, hit.tenant)


def counted_answer(report: AnswerReport) -> Counted | None:
    """An answer of a pool; None: nothing is known of its tokens, or it is another model's."""
    if report.foreign:
        return None
    return Counted.of(report.model, report.decision, "pool", report.usage, report.compared, report.tenant)
