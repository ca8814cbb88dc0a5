"""Asks the other model what a pool has answered, compares both answers, and tells how it went.

Background tasks, one after the other: no request waits for one, and a full queue drops what is new. Neither
prompts nor answers are kept.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from router_extproc.cache.false_hits.compare import AnswerComparison
from router_extproc.clock import Clock
from router_extproc.dialects.base import AnswerDialect
from router_extproc.errors import RouterError
from router_extproc.llm.answer import Answer, AnswerFacts
from router_extproc.models.base import Inference
from router_extproc.pipeline.background import TASK_S, BackgroundTasks
from router_extproc.pipeline.caching.savings import Prices
from router_extproc.pipeline.evaluation.budgets import HourlyBudgets
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules
from router_extproc.pipeline.token import EvaluationAsk

#: Answers that may wait for their comparison, in each worker.
WAITING_MAX: Final = 16
#: Seconds that the other model may take for its answer.
ASK_S: Final = 120.0
#: And a comparison, with all that is around it.
EVALUATION_S: Final = ASK_S + TASK_S
#: A longer answer is not read.
ANSWER_BYTES_MAX: Final = 1024 * 1024
_OK: Final = 200

#: "over-budget" and "busy": the other model was not asked.
EvaluationOutcome: TypeAlias = Literal["same", "different", "failed", "over-budget", "busy"]


@dataclass(frozen=True, slots=True)
class PoolReply:
    """What a pool said."""

    status: int
    content_type: str
    body: bytes


class PoolFailed(RouterError):
    """A pool has not answered; says why in a few words, without anything of a request."""


#: Sends a request to the pool of a cluster; raises PoolFailed.
AskPool: TypeAlias = Callable[[str, EvaluationAsk], Awaitable[PoolReply]]


async def ask_nobody(cluster: str, ask: EvaluationAsk) -> PoolReply:  # noqa: ARG001 - the port
    """Where no pool can be reached."""
    raise PoolFailed("no pool")


@dataclass(frozen=True, slots=True)
class Evaluated:
    """How one sampled request went."""

    decision: str
    #: Who has answered the client.
    model: str
    #: Who was asked, too.
    shadow_model: str
    outcome: EvaluationOutcome
    #: The prices of both answers; None: they are not both known.
    costs: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """The complete answer that the client has got."""

    decision: str
    model: str
    dialect: AnswerDialect
    facts: AnswerFacts


@dataclass(frozen=True, slots=True)
class Evaluations:
    """Carries evaluations out."""

    rules: EvaluationRules
    budgets: HourlyBudgets
    prices: Prices
    clock: Clock
    background: BackgroundTasks
    ask_pool: AskPool
    comparison: AnswerComparison
    inference: Inference
    tell: Callable[[Evaluated], None]

    def offer(self, given: AnswerGiven, ask: EvaluationAsk) -> None:
        """Ask the other model soon, if the hour's budget allows; by the rules in force now."""
        rule = self.rules.of(given.decision)
        if rule is None or rule.target.model != ask.model:
            return
        if not self.background.offer(lambda: self._evaluate(given, ask, rule)):
            self._tell(given, ask, "busy")

    async def _evaluate(self, given: AnswerGiven, ask: EvaluationAsk, rule: EvaluationRule) -> bool:
        if not self.budgets.take(rule.name, rule.per_hour, self.clock.monotonic_s()):
            self._tell(given, ask, "over-budget")
            return False
        outcome: EvaluationOutcome = "failed"
        costs: tuple[float, float] | None = None
        try:
            other = await self._answer(given.dialect, ask, rule.target.cluster)
            same = await self.inference.run(
                lambda: self.comparison.same(given.facts, other), timeout_s=TASK_S
            )
            outcome, costs = "same" if same else "different", self._costs(given, ask, other)
        except PoolFailed:
            return False
        finally:
            self._tell(given, ask, outcome, costs)
        return True

    async def _answer(self, dialect: AnswerDialect, ask: EvaluationAsk, cluster: str) -> AnswerFacts:
        reply = await self.ask_pool(cluster, ask)
        if reply.status != _OK:
            raise PoolFailed("status")
        reader = dialect.read_answer(reply.content_type, max_answer_bytes=ANSWER_BYTES_MAX)
        reader.feed(reply.body)
        answer = reader.finish()
        if not isinstance(answer, Answer):
            raise PoolFailed(answer.reason)
        return answer.facts

    def _costs(
        self, given: AnswerGiven, ask: EvaluationAsk, other: AnswerFacts
    ) -> tuple[float, float] | None:
        if given.facts.usage is None or other.usage is None:
            return None
        own = self.prices.worth(given.model, given.facts.usage).cost
        return own, self.prices.worth(ask.model, other.usage).cost

    def _tell(
        self,
        given: AnswerGiven,
        ask: EvaluationAsk,
        outcome: EvaluationOutcome,
        costs: tuple[float, float] | None = None,
    ) -> None:
        self.tell(Evaluated(given.decision, given.model, ask.model, outcome, costs))
