"""Asks the other model what a pool has answered, has both answers compared or judged, and tells how it went.

Background tasks, one after the other: no request waits for one, and a full queue drops what is new. Neither
prompts nor answers are kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from router_extproc.cache.false_hits.compare import AnswerComparison, Likeness
from router_extproc.clock import Clock
from router_extproc.dialects.base import Dialect
from router_extproc.errors import RequestError
from router_extproc.llm.answer import AnswerFacts, Usage
from router_extproc.models.base import Inference
from router_extproc.pipeline.background import TASK_S, BackgroundTasks
from router_extproc.pipeline.caching.savings import Prices
from router_extproc.pipeline.evaluation.asking import ASK_S, AskPool, PoolFailed, whole_answer_in
from router_extproc.pipeline.evaluation.budgets import HourlyBudgets
from router_extproc.pipeline.evaluation.judge import Judge
from router_extproc.pipeline.evaluation.outcomes import GOOD_ENOUGH, Evaluated
from router_extproc.pipeline.evaluation.rubric import Matter, matter_of
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules, JudgeRule
from router_extproc.pipeline.token import EvaluationAsk
from router_extproc.routing.outcomes.live import LiveOutcomes
from router_extproc.routing.outcomes.seen import OutcomeBasis, OutcomeSeen

#: Answers that may wait for their comparison, in each worker.
WAITING_MAX: Final = 16
#: Seconds for both asks and the comparison, with all that is around them.
EVALUATION_S: Final = 2 * ASK_S + TASK_S


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """The complete answer that the client has got."""

    decision: str
    model: str
    dialect: Dialect
    facts: AnswerFacts


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """One sampled request, with its answer."""

    given: AnswerGiven
    ask: EvaluationAsk = field(repr=False)
    rule: EvaluationRule

    @property
    def begun(self) -> Evaluated:
        """What is told of it, should nothing more become known."""
        return Evaluated(self.given.decision, self.given.model, self.ask.model, "failed")

    def matter(self, other: AnswerFacts) -> Matter | None:
        """What a judge would see; None: there is no judge, or a judge cannot read it."""
        if self.rule.judge is None:
            return None
        try:
            request = self.given.dialect.parse(self.ask.body)
        except RequestError:
            return None
        return matter_of(request, self.given.facts, other)


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
    judge: Judge
    inference: Inference
    tell: Callable[[Evaluated], None]
    #: None: nothing is learned from them.
    outcomes: LiveOutcomes | None = None

    def offer(self, given: AnswerGiven, ask: EvaluationAsk) -> None:
        """Ask the other model soon, if the hour's budget allows; by the rules in force now."""
        rule = self.rules.of(given.decision)
        if rule is None or rule.target.model != ask.model:
            return
        evaluation = _Evaluation(given, ask, rule)
        if not self.background.offer(lambda: self._evaluate(evaluation)):
            self.tell(replace(evaluation.begun, outcome="busy"))

    async def _evaluate(self, evaluation: _Evaluation) -> bool:
        rule, now_s = evaluation.rule, self.clock.monotonic_s()
        if not self.budgets.take(rule.name, rule.per_hour, now_s, requests=rule.requests):
            self.tell(replace(evaluation.begun, outcome="over-budget"))
            return False
        ended = evaluation.begun
        try:
            ended = await self._ask(evaluation)
        finally:
            self.tell(ended)
        self._learn(ended, evaluation.ask.basis)
        return ended.outcome not in {"failed", "judge-failed"}

    def _learn(self, ended: Evaluated, basis: OutcomeBasis | None) -> None:
        """Whether the other model's answer would have been good enough."""
        good = GOOD_ENOUGH.get(ended.outcome)
        if self.outcomes is not None and basis is not None and good is not None:
            now_s, model = self.clock.wall_s(), ended.shadow_model
            self.outcomes.hear(OutcomeSeen(ended.decision, model, "judged", good, basis, now_s))

    async def _ask(self, evaluation: _Evaluation) -> Evaluated:
        """Ask the other model, and then a judge where the rule wants one."""
        rule, given = evaluation.rule, evaluation.given
        judge: JudgeRule | None = None
        try:
            reply = await self.ask_pool(rule.target.cluster, evaluation.ask)
            other = whole_answer_in(reply, given.dialect)
            compared = await self.inference.run(
                lambda: self.comparison.compare(given.facts, other), timeout_s=TASK_S
            )
            matter = evaluation.matter(other)
            judge = None if matter is None else _judge_for(rule, compared)
        except PoolFailed:
            return evaluation.begun
        finally:
            if rule.judge is not None and judge is None:
                self.budgets.give_back(rule.name)
        costs = self._costs(evaluation, other)
        if matter is None or judge is None:
            return replace(evaluation.begun, outcome="same" if compared.same else "different", costs=costs)
        return await self._judged(evaluation, judge, matter, costs)

    async def _judged(
        self, evaluation: _Evaluation, judge: JudgeRule, matter: Matter, costs: tuple[float, float] | None
    ) -> Evaluated:
        begun = replace(evaluation.begun, outcome="judge-failed", judge=judge.target.model)
        try:
            said = await self.judge.judge(judge, matter, evaluation.ask.headers)
        except PoolFailed:
            return begun
        cost = None if said.usage is None else self._cost(judge.target.model, said.usage)
        return replace(begun, outcome=said.verdict, costs=costs, judge_cost=cost)

    def _costs(self, evaluation: _Evaluation, other: AnswerFacts) -> tuple[float, float] | None:
        given = evaluation.given
        if given.facts.usage is None or other.usage is None:
            return None
        return self._cost(given.model, given.facts.usage), self._cost(evaluation.ask.model, other.usage)

    def _cost(self, model: str, usage: Usage) -> float:
        return self.prices.worth(model, usage).cost


def _judge_for(rule: EvaluationRule, compared: Likeness) -> JudgeRule | None:
    """Who judges a pair that was compared so; None: the comparison decides."""
    if rule.judge is None or (compared.certain and rule.judge.when == "uncertain"):
        return None
    return rule.judge
