"""Answers that a page in a browser may read where the pools say which: without `envoy.cors`."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import PATH, Reply, Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

PAGE, OTHER = "https://app.example", "https://other.example"
ALLOW = "access-control-allow-origin"


@pytest_asyncio.fixture(loop_scope="module", scope="module", params=["split", "inline"])
async def module_stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """One stack of each profile."""
    async with running_stack(tmp_path_factory.mktemp("cors"), envoy={"profile": request.param}) as stack:
        yield stack


async def ask(stack: Stack, prompt: str, page: str = PAGE) -> Reply:
    return await stack.chat(prompt, headers={"origin": page})


async def stored(stack: Stack, prompt: str, says: str) -> Reply:
    """The first answer, with what the pool says to pages; when this returns the next one is a hit."""
    stack.small.answer = PoolAnswer((answer_json("Danube."),), headers={ALLOW: says})
    reply = await ask(stack, prompt)
    role = "inline" if stack.config.envoy.profile == "inline" else "observe"
    await stack.until(
        lambda: any(each["event"] == "over" and each["role"] == role for each in stack.worker.events())
    )
    return reply


async def test_every_page_reads_the_hit_where_the_pool_allows_every_page(stack: Stack) -> None:
    replies = [await stored(stack, "Name a river.", "*"), await ask(stack, "Name a river.", OTHER)]
    assert [reply.headers["x-router-cache"] for reply in replies] == ["miss", "hit-exact"]
    assert [reply.headers[ALLOW] for reply in replies] == ["*", "*"]


async def test_the_page_that_the_pool_named_reads_the_hit_and_no_other(stack: Stack) -> None:
    await stored(stack, "Some mountain, please", PAGE)
    same, other = [await ask(stack, "Some mountain, please", page) for page in (PAGE, OTHER)]
    assert (same.headers["x-router-cache"], same.headers[ALLOW]) == ("hit-exact", PAGE)
    assert (other.headers["x-router-cache"], other.headers.get(ALLOW)) == ("hit-exact", None)


async def test_every_page_reads_an_error(stack: Stack) -> None:
    stack.small.dies = True
    errors = [
        await stack.send("POST", PATH, json={"model": "auto", "messages": []}, headers={"origin": PAGE}),
        await stack.send("POST", "/reset_prefix_cache", headers={"origin": PAGE}),
        await ask(stack, "To a pool that is gone"),
    ]
    assert [(reply.status, reply.headers[ALLOW]) for reply in errors] == [(400, "*"), (403, "*"), (503, "*")]


async def test_a_preflight_request_is_the_pools(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((b"OK",), "text/plain", headers={ALLOW: "*"})
    wanted = {"origin": PAGE, "access-control-request-method": "POST"}
    reply = await stack.send("OPTIONS", PATH, headers=wanted)
    assert (reply.status, reply.headers[ALLOW]) == (200, "*")
    assert [request.method for request in stack.small.requests] == ["OPTIONS"]
