"""Requests of operators are known by their token, told the policy's version, and carry the token nowhere."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.pipeline.operators import DebugHeader, Operators
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.names import METADATA_NAMESPACE
from router_extproc.telemetry.request_log import decision_facts
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.router import FakeRouter, fake_router

TOKEN = "correct-horse-battery-staple"
WRONG = "correct-horse-battery-stable"


@pytest.fixture
def router() -> FakeRouter:
    plain = fake_router()
    return plain.swapped(replace(plain.application.policy, version=7, debug_token=TOKEN))


def read(*values: str, token: str | None = TOKEN) -> DebugHeader:
    return Operators(token).read(Headers(tuple(("x-router-debug", value) for value in values)))


def test_only_the_token_itself_makes_an_operator() -> None:
    assert read() == DebugHeader()
    assert read(TOKEN) == DebugHeader(sent=True, is_operators=True)
    for wrong in (WRONG, TOKEN[:-1], f"{TOKEN} ", "", "\udcff"):
        assert read(wrong) == DebugHeader(sent=True)


def test_a_token_that_comes_twice_is_none() -> None:
    assert read(TOKEN, TOKEN) == DebugHeader(sent=True)


def test_without_a_token_nobody_is_an_operator() -> None:
    for given in ("", TOKEN):
        assert read(given, token=None) == DebugHeader(sent=True)


async def test_an_operator_is_told_which_version_decided(router: FakeRouter) -> None:
    client = Client(router)
    sent = await client.send(chat(), x_router_debug=TOKEN)
    told = sent.forwarded.dynamic_metadata[METADATA_NAMESPACE]
    assert (told["version"], told["explain"]) == ("7", "decision: default; cache: miss (absent)")
    client.answer(sent, answer_json())
    replayed = await client.send(chat(), x_router_debug=TOKEN)
    assert dict(replayed.immediate.headers)["x-router-version"] == "7"
    assert dict(replayed.immediate.headers)["x-router-explain"] == "cache: hit-exact"


async def test_an_operators_mistake_is_told_as_any_other_and_with_the_version(router: FakeRouter) -> None:
    sent = await Client(router).send(b"{", x_router_debug=TOKEN)
    assert (sent.immediate.status, dict(sent.immediate.headers)["x-router-version"]) == (400, "7")


@pytest.mark.parametrize("headers", [{}, {"x_router_debug": WRONG}])
async def test_nobody_else_is_told(router: FakeRouter, headers: dict[str, str]) -> None:
    client = Client(router)
    sent = await client.send(chat(), **headers)
    assert not {"version", "explain"} & sent.forwarded.dynamic_metadata[METADATA_NAMESPACE].keys()
    client.answer(sent, answer_json())
    replayed = await client.send(chat(), **headers)
    assert not {"x-router-version", "x-router-explain"} & dict(replayed.immediate.headers).keys()


@pytest.mark.parametrize("token", [TOKEN, WRONG])
async def test_no_pool_gets_the_token_right_or_wrong(router: FakeRouter, token: str) -> None:
    sent = await Client(router).send(chat(), x_router_debug=token)
    assert "x-router-debug" in sent.forwarded.mutation.remove


async def test_the_token_is_no_part_of_the_keys(router: FakeRouter) -> None:
    """Else an operator would ask another cache than the client who complains."""
    client = Client(router)
    await client.ask(chat())
    assert (await client.send(chat(), x_router_debug=TOKEN)).cache == "hit-exact"


async def test_each_requests_line_has_the_version_and_none_the_token(router: FakeRouter) -> None:
    client = Client(router)
    await client.ask(chat(), x_router_debug=TOKEN)
    await client.send(b"{")
    lines = [decision_facts(report) for report in router.reports.decisions]
    assert [line["policy_version"] for line in lines] == [7, 7]
    assert TOKEN not in str(lines)
    assert TOKEN not in repr(router.parts.operators)
