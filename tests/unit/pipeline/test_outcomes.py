"""How an answer was is heard from the next message, or judged, and moves the choice."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import orjson
import pytest

from router_extproc.clock import Budget
from router_extproc.dialects import DIALECTS
from router_extproc.llm.price import Price
from router_extproc.pipeline.conversations import SessionNames, client_of
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.evaluation.asking import PoolReply
from router_extproc.pipeline.evaluation.rules import EvaluationRule, EvaluationRules
from router_extproc.pipeline.explain import explain_request
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.pipeline.token import EvaluationAsk, WriteToken
from router_extproc.protocol.events import Origin
from router_extproc.protocol.headers import Headers
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.outcomes.seen import Learning, ModelOutcomes, OutcomeSums
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.bandit import BanditSelection
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals.base import Reading, Subject
from router_extproc.testing.client import answer_json
from router_extproc.testing.router import LARGE, SMALL, FakeRouter, fake_router

Message = Mapping[str, object]
DAY_S = 86_400.0
TABLE = "quality:mine"
HARD, WRONG, NEXT = "Prove the theorem of Lagrange.", "That's wrong.", "What is the capital of Norway?"
FEEDBACK = {"x-router-cache-feedback": "wrong"}
NO_HEADERS: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Quality:
    """Says what a table would. Fits Signal."""

    name: str = TABLE
    needs_encoding: bool = False
    needs_tasks: bool = False

    def read(self, subject: Subject) -> Reading:  # noqa: ARG002 - the port
        return Reading(self.name, "large", 0.9, {"small": 0.8, "large": 0.8})


class Asked:
    """A router whose decision learns from outcomes."""

    def __init__(self, *, outcomes_per_client: int = 20, judging: bool = False) -> None:
        candidates = (Candidate(SMALL, price=Price(1, 1)), Candidate(LARGE, price=Price(9, 9)))
        decision = RoutingDecision(
            "d",
            1,
            ALWAYS,
            candidates,
            None,
            selection=BanditSelection(TABLE, 0.9, 0.0, 20.0),
            learning=Learning(frozenset(["small", "large"]), DAY_S, outcomes_per_client),
        )
        self.asks: list[EvaluationAsk] = []
        rules = EvaluationRules(EvaluationRule("", LARGE, 1.0, 99, allow_tools=True))
        self.router: FakeRouter = fake_router(
            decisions=[decision],
            signals=[Quality()],
            cached=False,
            ask_pool=self._ask,
            evaluation=rules if judging else EvaluationRules(),
        )
        self.reply = answer_json()

    async def _ask(self, cluster: str, ask: EvaluationAsk) -> PoolReply:
        assert cluster == LARGE.cluster
        self.asks.append(ask)
        return PoolReply(200, "application/json", self.reply)

    def heard(self, model: str = "small") -> tuple[float, float]:
        """Good and bad ones."""
        sums = self.outcomes(model).heard
        return sums.good, sums.bad

    def outcomes(self, model: str) -> ModelOutcomes:
        return self.router.application.learned.outcomes.of("d").of(model)

    async def ask(self, *messages: Message, headers: Mapping[str, str] = NO_HEADERS) -> Forward:
        decision = await self.router.parts.pipeline.decide(raw(messages, headers))
        assert isinstance(decision, Forward)
        return decision

    async def model_of(self, *messages: Message, headers: Mapping[str, str] = NO_HEADERS) -> str:
        return (await self.ask(*messages, headers=headers)).route.target.model

    def answer(self, token: WriteToken, origin: Origin) -> None:
        opened = self.router.parts.observer.open(token, 200, {"content-type": "application/json"}, origin)
        assert opened is not None
        opened.feed(answer_json())
        opened.finish()


def raw(messages: Sequence[Message], headers: Mapping[str, str] = NO_HEADERS) -> RawRequest:
    body = orjson.dumps({"model": "auto", "messages": messages})
    return RawRequest(DIALECTS["openai_chat"], Headers(tuple(headers.items())), body)


def user(text: str) -> Message:
    return {"role": "user", "content": text}


SAID: Message = {"role": "assistant", "content": "So it is."}
CALL: Message = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}],
}
RESULT: Message = {"role": "tool", "tool_call_id": "1", "content": "fine"}
FIRST = (user(HARD),)
GOES_ON = (*FIRST, SAID, user(NEXT))
COMPLAINS = (*FIRST, SAID, user(WRONG))


async def test_who_goes_on_says_that_the_answer_was_good_enough() -> None:
    asked = Asked()
    await asked.ask(*FIRST)
    assert asked.heard() == (0.0, 0.0)
    await asked.ask(*GOES_ON)
    assert asked.heard() == (1.0, 0.0)
    assert asked.outcomes("small").heard.expected == 0.8


async def test_who_complains_says_that_it_was_not() -> None:
    asked = Asked()
    await asked.ask(*FIRST)
    await asked.ask(*COMPLAINS)
    assert asked.heard() == (0.0, 1.0)


async def test_feedback_by_header_says_so_of_the_very_same_request() -> None:
    asked = Asked()
    await asked.ask(*FIRST)
    await asked.ask(*FIRST, headers=FEEDBACK)
    assert asked.heard() == (0.0, 1.0)


@pytest.mark.parametrize(
    "again",
    [
        (FIRST, FIRST),
        (FIRST, (*FIRST, CALL, RESULT)),
        (FIRST, (*FIRST, CALL, RESULT, user(NEXT))),
        ((*FIRST, SAID, user(NEXT)), (*FIRST, SAID, user(NEXT))),
    ],
)
async def test_a_request_again_or_inside_a_tool_loop_says_nothing(
    again: tuple[tuple[Message, ...], tuple[Message, ...]],
) -> None:
    asked = Asked()
    for messages in again:
        await asked.ask(*messages)
    assert asked.heard() == (0.0, 0.0)


async def test_enough_complaints_move_the_next_conversation_to_another_model() -> None:
    asked = Asked()
    for number in range(3):
        begins = user(f"{HARD} {number}")
        assert await asked.model_of(begins) == "small"
        await asked.ask(begins, SAID, user(WRONG))
    assert asked.heard() == (0.0, 3.0)
    assert await asked.model_of(user("Another one.")) == "large"


async def test_one_client_cannot_move_what_others_get() -> None:
    asked = Asked(outcomes_per_client=1)
    for number in range(50):
        begins = user(f"{HARD} {number}")
        await asked.ask(begins, headers={"authorization": "Bearer flood"})
        await asked.ask(begins, SAID, user(WRONG), headers={"authorization": "Bearer flood"})
    assert asked.heard() == (0.0, 1.0)
    assert await asked.model_of(user("Another one."), headers={"authorization": "Bearer other"}) == "small"


async def test_explaining_a_request_teaches_nothing_and_shows_the_numbers() -> None:
    asked = Asked()
    await asked.ask(*FIRST)
    await asked.ask(*COMPLAINS)
    explained = await explain_request(asked.router.parts.pipeline.read_only(), raw(COMPLAINS))
    assert asked.heard() == (0.0, 1.0)
    decision = explained.decision
    assert isinstance(decision, Forward)
    assert decision.route.choice is not None
    assert decision.route.choice.numbers["small"]["bad"] == 1.0


async def test_a_reload_follows_what_its_decisions_learn() -> None:
    asked = Asked()
    await asked.ask(*FIRST)
    await asked.ask(*COMPLAINS)
    policy = asked.router.application.current.router.policy
    asked.router = asked.router.swapped(replace(policy, routing=Policy([], default=SMALL)))
    assert not asked.router.application.learned.outcomes.learning
    assert asked.heard() == (0.0, 0.0)
    asked.router = asked.router.swapped(policy)
    await asked.ask(user(NEXT))
    await asked.ask(user(NEXT), SAID, user(WRONG))
    assert asked.heard() == (0.0, 1.0)


async def test_the_answer_of_another_model_in_its_place_says_nothing_of_it() -> None:
    """As after a fail-over: the client complains of what the other one said."""
    asked = Asked()
    forward = await asked.ask(*FIRST)
    token = forward.write_token
    other = WriteToken(
        token.dialect, "large", "d", token.started_s, token.exchange, None, session=token.session
    )
    asked.answer(other, Origin(LARGE.cluster, ""))
    await asked.ask(*COMPLAINS)
    assert asked.heard() == (0.0, 0.0)
    assert asked.heard("large") == (0.0, 0.0)


@pytest.mark.parametrize(("content", "sums"), [("An animal.", (1.0, 0.0)), ("Nobody knows.", (0.0, 1.0))])
async def test_a_shadow_evaluation_tells_of_the_other_model(content: str, sums: tuple[float, float]) -> None:
    asked = Asked(judging=True)
    asked.reply = answer_json(content)
    forward = await asked.ask(*FIRST)
    token = WriteToken.decode(forward.write_token.encode())
    opened = asked.router.parts.observer.open(
        token, 200, {"content-type": "application/json"}, Origin(SMALL.cluster, "")
    )
    assert opened is not None
    opened.feed(answer_json("An animal."))
    opened.finish()
    await asked.router.background.finish()
    assert len(asked.asks) == 1
    assert asked.outcomes("large").judged == OutcomeSums(*sums, 0.8)
    assert asked.outcomes("small").judged == OutcomeSums()


@pytest.mark.parametrize("claim", [None, "sid"])
async def test_a_client_is_the_same_in_all_its_sessions_and_another_one_is_not(claim: str | None) -> None:
    reader = Asked().router.parts.pipeline.reader
    bodies = {text: orjson.dumps({"model": "auto", "messages": [user(text)]}) for text in (HARD, NEXT)}

    names = SessionNames(("x-session-id",), claim)

    def of(text: str, **headers: str) -> str:
        sent = RawRequest(DIALECTS["openai_chat"], Headers(tuple(headers.items())), bodies[text])
        budget = Budget.of(Asked().router.clock, 1.0)
        return client_of(reader.read(sent, budget), names)

    assert of(HARD, authorization="a") == of(NEXT, authorization="a")
    assert of(HARD, authorization="a") != of(HARD, authorization="b")
    assert of(HARD) == of(NEXT)

    def token(sid: str, sub: str) -> dict[str, str]:
        payload = urlsafe_b64encode(orjson.dumps({"sid": sid, "sub": sub})).decode().rstrip("=")
        return {"authorization": f"Bearer {sid}", "x-jwt-payload": payload}

    if claim is not None:
        assert of(HARD, **token("1", "me")) == of(HARD, **token("2", "me"))
        assert of(HARD, **token("1", "me")) != of(HARD, **token("1", "you"))
