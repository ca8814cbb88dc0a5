"""The port to pools that shadow evaluation asks past Envoy, and the reading of what they answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from router_extproc.dialects.base import AnswerDialect
from router_extproc.errors import RouterError
from router_extproc.llm.answer import Answer, AnswerFacts, Incomplete
from router_extproc.pipeline.token import EvaluationAsk

#: Seconds that a model may take for its answer.
ASK_S: Final = 120.0
#: A longer answer is not read.
ANSWER_BYTES_MAX: Final = 1024 * 1024
_OK: Final = 200


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


def answer_in(reply: PoolReply, dialect: AnswerDialect) -> Answer | Incomplete:
    """The model's answer, whole or not.

    Raises:
        PoolFailed: the pool refused.
    """
    if reply.status != _OK:
        raise PoolFailed("status")
    reader = dialect.read_answer(reply.content_type, max_answer_bytes=ANSWER_BYTES_MAX)
    reader.feed(reply.body)
    return reader.finish()


def whole_answer_in(reply: PoolReply, dialect: AnswerDialect) -> AnswerFacts:
    """What a complete answer says.

    Raises:
        PoolFailed: there is none.
    """
    answer = answer_in(reply, dialect)
    if not isinstance(answer, Answer):
        raise PoolFailed(answer.reason)
    return answer.facts
