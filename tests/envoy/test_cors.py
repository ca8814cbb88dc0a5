"""Answers that a page in a browser may read, whoever made them, with and without `envoy.cors`."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import PATH, Reply, Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

OURS, THEIRS = "https://app.example", "https://evil.example"
LISTED = {"allow_origins": [OURS, "https://two.example"], "allow_credentials": True}
SHAPES: dict[str, dict[str, Any]] = {
    "split": {"profile": "split", "cors": LISTED},
    # The route of an inference request on its way in is then a direct response.
    "split, unread denied": {"profile": "split", "cors": LISTED, "unread": "deny", "other_paths": "deny"},
    "inline": {"profile": "inline", "cors": LISTED},
}


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=SHAPES.values(), ids=SHAPES)
async def module_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One stack of each shape."""
    async with running_stack(tmp_path_factory.mktemp("cors"), envoy=request.param) as stack:
        yield stack


def allowed(reply: Reply) -> str | None:
    """The page that may read the answer."""
    return reply.headers.get("access-control-allow-origin")


async def ask(stack: Stack, prompt: str, origin: str = OURS) -> Reply:
    return await stack.chat(prompt, headers={"origin": origin})


async def preflight(stack: Stack, origin: str) -> Reply:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,x-a"}
    return await stack.send("OPTIONS", PATH, headers={"origin": origin, **wanted})


async def stored(stack: Stack, prompt: str, origin: str = OURS) -> Reply:
    """The first answer; when this returns the next one is a hit."""
    stack.small.answer = PoolAnswer((answer_json("Danube."),), headers=stack.small.answer.headers)
    reply = await ask(stack, prompt, origin)
    role = "inline" if stack.config.envoy.profile == "inline" else "observe"
    await stack.until(
        lambda: any(each["event"] == "over" and each["role"] == role for each in stack.worker.events())
    )
    return reply


async def test_a_listed_page_reads_a_miss_and_a_hit(stack: Stack) -> None:
    stack.small.answer = PoolAnswer(headers={"access-control-allow-origin": "*"})
    miss, hit = await stored(stack, "Name a river."), await ask(stack, "Name a river.")
    assert (miss.headers["x-router-cache"], hit.headers["x-router-cache"]) == ("miss", "hit-exact")
    for reply in (miss, hit):
        assert allowed(reply) == OURS
        assert reply.headers["access-control-allow-credentials"] == "true"
        assert "x-router-cache" in reply.headers["access-control-expose-headers"]
        assert reply.headers["vary"] == "origin"


async def test_another_page_reads_neither(stack: Stack) -> None:
    """Whatever the pool says."""
    stack.small.answer = PoolAnswer(headers={"access-control-allow-origin": "*"})
    replies = [await stored(stack, "Name a lake.", THEIRS), await ask(stack, "Name a lake.", THEIRS)]
    assert [reply.headers["x-router-cache"] for reply in replies] == ["miss", "hit-exact"]
    assert [allowed(reply) for reply in replies] == [None, None]


async def test_a_client_without_a_page_is_told_nothing(stack: Stack) -> None:
    assert allowed(await stack.chat("Hello")) is None


async def test_a_listed_page_reads_every_error(stack: Stack) -> None:
    headers = {"origin": OURS}
    refused = [
        await stack.send("POST", PATH, json={"model": "auto", "messages": []}, headers=headers),
        await stack.send("POST", PATH, data=io.BytesIO(b"x" * 1_100_000), headers=headers),
        await stack.send("POST", "/reset_prefix_cache", headers=headers),
        await stack.send("POST", PATH, data=b"{", headers=headers),
    ]
    assert [reply.status for reply in refused] == [400, 413, 403, 400]
    assert {allowed(reply) for reply in refused} == {OURS}


async def test_another_page_reads_no_error(stack: Stack) -> None:
    reply = await stack.send("POST", PATH, data=b"{", headers={"origin": THEIRS})
    assert (reply.status, allowed(reply)) == (400, None)


async def test_a_listed_pages_preflight_is_answered_here(stack: Stack) -> None:
    reply = await preflight(stack, OURS)
    assert (reply.status, allowed(reply)) == (200, OURS)
    assert reply.headers["access-control-allow-methods"] == "POST"
    assert reply.headers["access-control-allow-headers"] == "authorization,x-a"
    assert not stack.small.requests


async def test_another_pages_preflight_is_refused_here(stack: Stack) -> None:
    assert allowed(await preflight(stack, THEIRS)) is None
    assert not stack.small.requests


async def test_every_page_may_be_listed(tmp_path: Path) -> None:
    async with running_stack(tmp_path, envoy={"cors": {"allow_origins": ["*"]}}) as stack:
        replies = [await ask(stack, "", page) for page in (OURS, THEIRS)]
        assert [allowed(reply) for reply in replies] == [OURS, THEIRS]
        assert "access-control-allow-credentials" not in replies[0].headers
        assert allowed(await preflight(stack, THEIRS)) == THEIRS
        assert allowed(await stack.chat("")) is None
