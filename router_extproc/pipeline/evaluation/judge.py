"""Asks a judge, a model behind the same Envoy, whether another model's answer is as good as the one given."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import orjson

from router_extproc.dialects.base import AnswerDialect
from router_extproc.llm.answer import Incomplete, Usage
from router_extproc.pipeline.evaluation.asking import AskPool, PoolFailed, answer_in
from router_extproc.pipeline.evaluation.rubric import Marks, Matter, Verdict, messages_of, read_verdict
from router_extproc.pipeline.evaluation.rules import JudgeRule
from router_extproc.pipeline.token import EvaluationAsk

#: Where judges are asked, whatever the client's API.
PATH: Final = "/v1/chat/completions"
#: Tokens of the reply: one line, and what a model thinks before.
_REPLY_TOKENS_MAX: Final = 2048


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said."""

    verdict: Verdict
    #: None: its pool does not tell.
    usage: Usage | None


@dataclass(frozen=True, slots=True)
class Judge:
    """Puts the fixed rubric to a pool."""

    ask_pool: AskPool
    #: That of chat completions.
    dialect: AnswerDialect
    #: A number from 0 to below 1, each as likely as another.
    chance: Callable[[], float]

    async def judge(self, rule: JudgeRule, matter: Matter, headers: tuple[tuple[str, str], ...]) -> Judgement:
        """The verdict of the rule's judge.

        headers: with the credential for its pool.

        Raises:
            PoolFailed: it did not reply in time, or said nothing that could be a reply.
        """
        marks = Marks.drawn(self.chance(), self.chance())
        ask = EvaluationAsk(rule.target.model, PATH, headers, _body(rule, matter, marks))
        try:
            async with asyncio.timeout(rule.timeout_s):
                reply = await self.ask_pool(rule.target.cluster, ask)
        except TimeoutError:
            raise PoolFailed("timeout") from None
        answer = answer_in(reply, self.dialect)
        if isinstance(answer, Incomplete):
            return _without_verdict(answer)
        return Judgement(read_verdict(answer.facts.choices[0].text, marks), answer.facts.usage)


def _body(rule: JudgeRule, matter: Matter, marks: Marks) -> bytes:
    return orjson.dumps(
        {
            "model": rule.target.served_name,
            "messages": messages_of(matter, marks),
            "temperature": 0,
            "max_tokens": _REPLY_TOKENS_MAX,
            "stream": False,
        }
    )


def _without_verdict(answer: Incomplete) -> Judgement:
    """A judge that stopped elsewhere than at the end has replied, though nothing that counts."""
    if answer.finish_reason is None:
        raise PoolFailed(answer.reason)
    return Judgement("unreadable", answer.usage)
