"""The headers of vLLM Semantic Router through a real Envoy: for clients and routes that were made for it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """As in conftest.py, with the old headers."""
    folder = tmp_path_factory.mktemp("old")
    async with running_stack(folder, envoy={"compatible_headers": "vllm-sr"}) as stack:
        yield stack


async def test_the_pool_and_the_client_are_told_as_before(stack: Stack) -> None:
    reply = await stack.chat("Some maths, please")
    assert stack.large.requests[0].headers["x-selected-model"] == "large"
    told = {name: value for name, value in reply.headers.items() if name.startswith("x-vsr-")}
    assert told == {
        "x-vsr-selected-model": "large",
        "x-vsr-selected-decision": "maths",
        "x-vsr-selected-category": "maths",
    }
    assert reply.headers["x-router-model"] == "large"


async def test_a_hit_says_that_it_is_one(stack: Stack) -> None:
    stack.large.answer = PoolAnswer((answer_json(),))
    await stack.chat("Stored maths, please")
    await stack.until(stack.observer_closed)
    reply = await stack.chat("Stored maths, please")
    assert reply.headers["x-router-cache"] == "hit-exact"
    assert reply.headers["x-vsr-cache-hit"] == "true"
    assert reply.headers["x-vsr-selected-model"] == "large"


async def test_a_client_cannot_choose_a_model_by_header(stack: Stack) -> None:
    """A route that was made for the old router looks at nothing else."""
    await stack.chat("Some poetry", headers={"x-selected-model": "large"})
    await stack.send("GET", "/v1/files", headers={"X-Selected-Model": "large"})
    assert [request.headers.get("x-selected-model") for request in stack.small.requests] == ["small", None]


async def test_a_pool_cannot_tell_the_client_such_things(stack: Stack) -> None:
    stack.small.answer.headers = {"x-vsr-selected-model": "forged", "x-vsr-selected-reasoning": "on"}
    inference, other = await stack.chat("Hello"), await stack.send("GET", "/v1/files")
    assert inference.headers["x-vsr-selected-model"] == "small"
    assert "x-vsr-selected-reasoning" not in inference.headers
    assert not {name for name in other.headers if name.startswith("x-vsr-")}
