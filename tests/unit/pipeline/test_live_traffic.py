"""Requests go where live traffic says, as a client sees it."""

from __future__ import annotations

from collections.abc import Mapping

import orjson
import pytest

from router_extproc.clock import Budget
from router_extproc.dialects import DIALECTS
from router_extproc.pipeline.conversations import NO_NAMES, SessionNames, conversation_of
from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.parsed_request import RawRequest
from router_extproc.protocol.events import Origin
from router_extproc.protocol.headers import Headers
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate, Selection
from router_extproc.routing.selection.fixed import FIRST
from router_extproc.routing.selection.weighted import WeightedSelection
from router_extproc.testing.router import LARGE, SMALL, FakeRouter, fake_router

NO_HEADERS: Mapping[str, str] = {}


def router(selection: Selection = FIRST) -> FakeRouter:
    candidates = (Candidate(SMALL), Candidate(LARGE))
    return fake_router(
        decisions=[RoutingDecision("d", 1, ALWAYS, candidates, None, selection=selection)], cached=False
    )


def raw(*messages: str, headers: Mapping[str, str] = NO_HEADERS) -> RawRequest:
    turns = [
        {"role": "assistant" if place % 2 else "user", "content": text} for place, text in enumerate(messages)
    ]
    body = orjson.dumps({"model": "auto", "messages": turns})
    return RawRequest(DIALECTS["openai_chat"], Headers(tuple(headers.items())), body)


async def ask(router: FakeRouter, *messages: str, headers: Mapping[str, str] = NO_HEADERS) -> Forward:
    decision = await router.parts.pipeline.decide(raw(*messages, headers=headers))
    assert isinstance(decision, Forward)
    return decision


async def answer(
    router: FakeRouter, status: int, body: object, headers: Mapping[str, str] = NO_HEADERS
) -> str:
    """Ask, let the pool answer, and say which model was asked."""
    forward = await ask(router, "hello")
    target = forward.route.target
    said = {"content-type": "application/json", **headers}
    observation = router.parts.observer.open(
        forward.write_token, status, said, Origin(target.cluster, "via_upstream")
    )
    assert observation is not None
    observation.feed(orjson.dumps(body))
    observation.finish()
    return target.model


ERROR = {"error": {"message": "no", "type": "server_error"}}
GOOD = {
    "id": "x", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}  # fmt: skip


async def test_a_rate_limited_model_is_left_for_as_long_as_it_says() -> None:
    asked = router()
    assert await answer(asked, 429, ERROR, {"retry-after": "20"}) == "small"
    assert await answer(asked, 200, GOOD) == "large"
    asked.clock.advance(20)
    assert [await answer(asked, 200, GOOD) for _ in range(4)] == ["small"] * 4


@pytest.mark.parametrize(("status", "body"), [(500, ERROR), (200, ERROR), (503, {})])
async def test_a_model_that_fails_three_times_is_left(status: int, body: object) -> None:
    asked = router()
    assert [await answer(asked, status, body) for _ in range(3)] == ["small"] * 3
    assert await answer(asked, 200, GOOD) == "large"


async def test_what_clients_do_wrong_leaves_no_model() -> None:
    asked = router()
    assert [await answer(asked, 400, ERROR) for _ in range(5)] == ["small"] * 5


async def test_when_all_models_fail_the_first_is_asked_all_the_same() -> None:
    asked = router()
    for _ in range(6):
        await answer(asked, 500, ERROR)
    assert await answer(asked, 500, ERROR) == "small"


async def test_a_conversation_stays_with_its_model() -> None:
    asked, models = router(WeightedSelection()), set()
    for number in range(20):
        first = f"question {number}"
        model = (await ask(asked, first)).route.target.model
        models.add(model)
        assert (await ask(asked, first, "answer", "and more?")).route.target.model == model
    assert models == {"small", "large"}


def digest(*messages: str, headers: Mapping[str, str] = NO_HEADERS, named: SessionNames = NO_NAMES) -> bytes:
    asked = router()
    pipeline = asked.parts.pipeline
    parsed = pipeline.reader.read(raw(*messages, headers=headers), Budget.of(asked.clock, 1.0))
    return conversation_of(parsed, named)


def test_the_beginning_and_who_asks_are_the_conversation() -> None:
    assert digest("hello") == digest("hello", "hi", "more")
    assert digest("hello") != digest("hullo")
    assert digest("hello") != digest("hello", headers={"authorization": "Bearer a"})


def test_a_header_names_a_session_inside_what_one_client_says() -> None:
    one = {"x-session-id": "s", "authorization": "Bearer a"}
    named = SessionNames(("x-session-id",))
    assert digest("hello", headers=one, named=named) == digest("other", headers=one, named=named)
    other = one | {"authorization": "Bearer b"}
    assert digest("hello", headers=one, named=named) != digest("hello", headers=other, named=named)
    assert digest("hello", named=named) == digest("hello")


def test_a_session_name_of_a_megabyte_is_read_in_part() -> None:
    named, long = SessionNames(("x-session-id",)), "s" * 1_000_000
    assert digest("a", headers={"x-session-id": long}, named=named) == digest(
        "a", headers={"x-session-id": long + "t"}, named=named
    )
