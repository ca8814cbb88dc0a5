"""Sessions stay on their model, from the request to the log line."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

import orjson
import pytest

from router_extproc.dialects import DIALECTS
from router_extproc.llm.price import Price
from router_extproc.pipeline.conversations import SessionNames
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.explain import explain_request
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.protocol.events import Origin
from router_extproc.protocol.headers import Headers
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.testing.router import LARGE, SMALL, FakeRouter, fake_router

Message = Mapping[str, object]
HARD, EASY = "Prove the theorem of Lagrange.", "What is the capital of Norway?"
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
NO_HEADERS: Mapping[str, str] = {}
#: Of so many tokens that reading them anew costs more than an answer of 500 saves.
LONG_TOKENS = 100_000
LONG = f"{HARD} {'word ' * LONG_TOKENS}"
REMINDER = "<system-reminder>\nToday is Monday.\n</system-reminder>"


@dataclass(slots=True)
class Told:
    """Chooses what a test says. Fits Selection."""

    model: str = "large"
    by_need: bool = True
    counts_tokens: bool = True
    signals: frozenset[str] = frozenset()

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:  # noqa: ARG002
        chosen = next(each for each in candidates if each.target.model == self.model)
        return Choice(chosen, "told so")


class Chat:
    """Clients of one router whose selection is told what to choose."""

    def __init__(self) -> None:
        self.told = Told()
        candidates = (Candidate(SMALL, price=Price(0.1, 0.1)), Candidate(LARGE, price=Price(10, 10)))
        decision = RoutingDecision("d", 1, ALWAYS, candidates, None, selection=self.told)
        self.router: FakeRouter = fake_router(decisions=[decision], cached=False)

    def named(self, header: str) -> Chat:
        """Sessions have a header's name from now on."""
        policy = self.router.application.current.router.policy
        names = SessionNames((header,))
        self.router = self.router.swapped(replace(policy, session_names=names))
        return self

    def claimed(self, *headers: str) -> Chat:
        """A claim names sessions from now on, and headers do."""
        policy = self.router.application.current.router.policy
        self.router = self.router.swapped(replace(policy, session_names=SessionNames(headers, "sid")))
        return self

    async def ask(
        self, choice: str, *messages: Message, headers: Mapping[str, str] = NO_HEADERS, tools: bool = True
    ) -> str:
        """The model that a request goes to when the selection chooses this one."""
        self.told.model = choice
        decision = await self.router.parts.pipeline.decide(raw(*messages, headers=headers, tools=tools))
        assert isinstance(decision, Forward)
        return decision.route.target.model

    async def answer(self, cached: int, *messages: Message) -> None:
        """The pool answers a request for the large model; it had so much of the prompt in its cache."""
        self.told.model = "large"
        decision = await self.router.parts.pipeline.decide(raw(*messages))
        assert isinstance(decision, Forward)
        target = decision.route.target
        observation = self.router.parts.observer.open(
            decision.write_token, 200, {"content-type": "application/json"}, Origin(target.cluster, "")
        )
        assert observation is not None
        usage = {
            "prompt_tokens": LONG_TOKENS,
            "completion_tokens": 500,
            "prompt_tokens_details": {"cached_tokens": cached},
        }
        message = {"role": "assistant", "content": "hi"}
        choice = {"index": 0, "message": message, "finish_reason": "stop"}
        document = {"id": "x", "object": "chat.completion", "created": 1, "model": "m"}
        observation.feed(orjson.dumps({**document, "choices": [choice], "usage": usage}))
        observation.finish()


def raw(*messages: Message, headers: Mapping[str, str] = NO_HEADERS, tools: bool = True) -> RawRequest:
    body: dict[str, object] = {"model": "auto", "messages": messages}
    if tools:
        body["tools"] = TOOLS
    return RawRequest(DIALECTS["openai_chat"], Headers(tuple(headers.items())), orjson.dumps(body))


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def said(text: str = "So it is.") -> Message:
    return {"role": "assistant", "content": text}


def call(at: str = "a") -> Message:
    function = {"name": "look", "arguments": orjson.dumps({"at": at}).decode()}
    return {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "1", "type": "function", "function": function}],
    }


def result(text: str = "fine") -> Message:
    return {"role": "tool", "tool_call_id": "1", "content": text}


LOOP = (user(HARD), call(), result())


@pytest.mark.parametrize("by_need", [True, False])
@pytest.mark.parametrize(
    "step", [(), (said("Let me"),), (user(REMINDER),), (user(EASY),)], ids=str
)  # fmt: skip
async def test_a_tool_loop_stays_on_its_model(step: tuple[Message, ...], *, by_need: bool) -> None:
    chat = Chat()
    chat.told.by_need = by_need
    assert await chat.ask("large", user(HARD)) == "large"
    chat.router.clock.advance(10_000)
    assert await chat.ask("small", *LOOP, *step) == "large"


async def test_a_request_without_earlier_turns_begins_a_session() -> None:
    chat = Chat()
    assert await chat.ask("large", user(HARD)) == "large"
    assert await chat.ask("small", user(HARD)) == "small"
    assert await chat.ask("large", *LOOP) == "small"


async def test_the_same_first_request_again_is_no_move() -> None:
    """It is as likely another conversation that begins alike."""
    chat = Chat()
    for _ in range(2):
        decision = await chat.router.parts.pipeline.decide(raw(user(HARD)))
        assert isinstance(decision, Forward)
        assert decision.route.choice is not None
        assert decision.route.choice.move == "new"


async def test_a_follow_up_stays_and_a_new_topic_or_silence_moves_down() -> None:
    chat = Chat()
    await chat.ask("large", user(HARD))
    assert await chat.ask("small", user(HARD), said(), user("why?")) == "large"
    assert await chat.ask("small", user(HARD), said(), user(EASY)) == "small"
    await chat.ask("large", user(EASY))
    chat.router.clock.advance(899)
    assert await chat.ask("small", user(EASY), said(), user("why?")) == "large"
    chat.router.clock.advance(901)
    assert await chat.ask("small", user(EASY), said(), user("why?")) == "small"


@pytest.mark.parametrize(
    ("cached", "to"),
    [
        ((0, 0), "large"),
        ((0, LONG_TOKENS), "large"),
        ((LONG_TOKENS, 0), "small"),
        ((LONG_TOKENS, LONG_TOKENS), "large"),
    ],
    ids=["never told", "kept", "evicted", "kept again"],
)
async def test_a_new_topic_moves_down_where_the_pool_has_lost_the_prefix(
    cached: tuple[int, int], to: str
) -> None:
    """Then it must be read anew in any case; a pool that never tells is taken to have it."""
    chat, begun = Chat(), (user(LONG),)
    await chat.answer(0, *begun)
    for number, told in enumerate(cached):
        begun = (*begun, said(), user(f"and then {number}?"))
        await chat.answer(told, *begun)
    assert await chat.ask("small", *begun, said(), user(EASY)) == to


async def test_a_harder_ask_moves_up() -> None:
    chat = Chat()
    await chat.ask("small", user(EASY))
    assert await chat.ask("large", user(EASY), said(), user("why?")) == "large"


async def test_an_answer_that_was_wrong_moves_up() -> None:
    chat = Chat()
    await chat.ask("small", user(EASY))
    wrong = {"x-router-cache-feedback": "wrong"}
    assert await chat.ask("small", user(EASY), headers=wrong) == "large"
    assert await chat.ask("small", user(EASY), said(), user("why?")) == "large"


@pytest.mark.parametrize(
    ("loop", "to"),
    [
        ([call("a"), result("Error: no"), call("b"), result("Error: no")], "large"),
        ([call("a"), result("fine"), call("a"), result("Error: no")], "large"),
        ([call("a"), result("Error: no")], "small"),
        ([call("a"), result("Error: no"), call("a"), result("fine")], "small"),
        ([call("a"), result("fine")], "small"),
        ([], "small"),
    ],
)
async def test_a_loop_that_got_nowhere_moves_up_once_it_is_over(loop: list[Message], to: str) -> None:
    chat = Chat()
    await chat.ask("small", user(EASY))
    assert await chat.ask("small", user(EASY), *loop, *([result("Error: no")] * bool(loop))) == "small"
    assert await chat.ask("small", user(EASY), *loop, said(), user("and now?")) == to


async def test_a_title_for_the_same_words_moves_no_session() -> None:
    chat = Chat()
    await chat.ask("large", user(HARD))
    assert await chat.ask("small", user(HARD), tools=False) == "small"
    assert await chat.ask("small", *LOOP) == "large"
    assert await chat.ask("small", *LOOP, tools=False) == "large"
    await chat.ask("small", user(HARD), tools=False)
    assert await chat.ask("small", *LOOP, said(), user("why?")) == "large"


async def test_sessions_of_clients_and_of_headers_are_apart() -> None:
    chat = Chat().named("x-session-id")
    one, other = {"x-session-id": "1" * 9000}, {"x-session-id": "2"}
    await chat.ask("large", user(HARD), headers=one)
    await chat.ask("small", user(HARD), headers=other)
    await chat.ask("small", user(EASY), headers=one)
    assert await chat.ask("small", *LOOP, headers=one) == "large"
    assert await chat.ask("large", *LOOP, headers=other) == "small"
    assert await chat.ask("small", *LOOP, headers={**one, "authorization": "Bearer other"}) == "small"


def token(sid: str | None, *, sub: str = "ann", iss: str = "https://one", **more: str) -> Mapping[str, str]:
    """The headers of a request whose token was verified; each has a credential of its own."""
    claims = {"iss": iss, "sub": sub, **({} if sid is None else {"sid": sid})}
    payload = urlsafe_b64encode(orjson.dumps(claims)).decode().rstrip("=")
    return {"x-jwt-payload": payload, "authorization": f"Bearer {uuid4()}", **more}


async def test_a_session_by_claim_goes_on_with_a_renewed_token() -> None:
    chat = Chat().claimed()
    await chat.ask("large", user(HARD), headers=token("1"))
    assert await chat.ask("small", *LOOP, headers=token("1")) == "large"
    assert await chat.ask("small", *LOOP, headers=token("2")) == "small"
    assert await chat.ask("small", *LOOP, headers=token("1" * 300)) == "small"


@pytest.mark.parametrize("other", [{"sub": "bob"}, {"iss": "https://two"}])
async def test_the_same_claim_of_another_client_or_issuer_is_another_session(other: dict[str, str]) -> None:
    """One tenant must not move another's session."""
    chat = Chat().claimed()
    await chat.ask("large", user(HARD), headers=token("1"))
    await chat.ask("small", user(HARD), headers=token("1", **other))
    assert await chat.ask("small", *LOOP, headers=token("1")) == "large"
    assert await chat.ask("large", *LOOP, headers=token("1", **other)) == "small"


async def test_a_header_tells_sessions_of_one_claim_apart() -> None:
    chat = Chat().claimed("x-session-id")
    await chat.ask("large", user(HARD), headers=token("1", **{"x-session-id": "a"}))
    assert await chat.ask("small", *LOOP, headers=token("1", **{"x-session-id": "a"})) == "large"
    assert await chat.ask("small", *LOOP, headers=token("1", **{"x-session-id": "b"})) == "small"


async def test_without_the_claim_the_credential_says_who_asks() -> None:
    chat = Chat().claimed()
    one, other = token(None), token(None)
    await chat.ask("large", user(HARD), headers=one)
    assert await chat.ask("small", *LOOP, headers=one) == "large"
    assert await chat.ask("small", *LOOP, headers=other) == "small"


@pytest.mark.parametrize(
    "text", ["That's wrong.", "No, it still fails.", "Nein, das stimmt nicht.", f"{REMINDER}\nSame error."]
)
async def test_a_human_who_says_that_it_was_wrong_moves_up(text: str) -> None:
    chat = Chat()
    await chat.ask("small", user(EASY))
    complaint = (user(EASY), said(), user(text))
    assert await chat.ask("small", *complaint) == "large"
    assert await chat.ask("small", *complaint, call(), result()) == "large"
    assert await chat.ask("small", *complaint, said(), user("why?")) == "large"


@pytest.mark.parametrize(
    "text", ["What is wrong with it?", "Is that wrong?", '"That\'s wrong" in French', "no"]
)
async def test_words_that_only_sound_like_it_move_nothing(text: str) -> None:
    chat = Chat()
    await chat.ask("small", user(EASY))
    assert await chat.ask("small", user(EASY), said(), user(text)) == "small"


async def test_a_session_does_not_begin_with_trouble_nor_move_twice_for_the_same() -> None:
    chat = Chat()
    assert await chat.ask("small", user("That's wrong.")) == "small"
    await chat.ask("small", user(EASY))
    again = (user(EASY), said(), user("That's wrong."))
    moves = []
    for _ in range(2):
        decision = await chat.router.parts.pipeline.decide(raw(*again))
        assert isinstance(decision, Forward)
        assert decision.route.choice is not None
        moves.append(decision.route.choice.reason)
    assert moves == [
        "session: the human says that it was wrong: the next dearer one",
        "session: stays on large because its topic goes on",
    ]


async def test_explaining_says_why_and_remembers_nothing() -> None:
    chat = Chat()
    await chat.ask("large", user(HARD))
    before = chat.router.application.learned.sessions.known
    chat.told.model = "small"
    explained = await explain_request(chat.router.parts.pipeline, raw(*LOOP))
    (large,) = [each for each in explained.models if each.chosen]
    assert (large.model, large.reason) == (
        "large",
        "session: stays on large because it is inside a tool loop",
    )
    assert chat.router.application.learned.sessions.known == before


async def test_a_session_survives_a_reload() -> None:
    chat = Chat()
    await chat.ask("large", user(HARD))
    chat.router = chat.router.swapped(chat.router.application.current.router.policy)
    assert await chat.ask("small", *LOOP) == "large"
