"""The router's own list of models, as the official clients read it through a real Envoy."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import anthropic
import openai
import pytest

from router_extproc.llm.listed_model import ListedModel
from router_extproc.process.model_lists import LIST_BYTES_MAX, ModelLists
from router_extproc.routing.pool_models import PoolModels
from router_extproc.testing.pools import PoolAnswer, running_pool
from router_extproc.testing.stack import Stack, config_for

pytestmark = pytest.mark.asyncio(loop_scope="module")

NAMES = ["auto", "small", "tiny-small", "large", "tiny-large"]


@pytest.fixture
def openais(stack: Stack) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{stack.envoy.url}/v1", api_key="-", max_retries=0) as client:
        yield client


@pytest.fixture
def anthropics(stack: Stack) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=stack.envoy.url, api_key="-", max_retries=0) as client:
        yield client


async def test_openais_client_lists_every_name_that_may_be_asked_for(
    stack: Stack, openais: openai.OpenAI
) -> None:
    client = openais
    listed = await asyncio.to_thread(lambda: list(client.models.list()))
    assert sorted(model.id for model in listed) == sorted(NAMES)
    assert listed[0].id == "auto"
    found = [await asyncio.to_thread(client.models.retrieve, name) for name in NAMES]
    assert [model.id for model in found] == NAMES
    assert {model.object for model in (*listed, *found)} == {"model"}
    assert not stack.small.requests


async def test_anthropics_client_lists_them_page_by_page(anthropics: anthropic.Anthropic) -> None:
    client = anthropics
    pages = await asyncio.to_thread(lambda: [model.id for model in client.models.list(limit=2)])
    assert sorted(pages) == sorted(NAMES)
    found = await asyncio.to_thread(client.models.retrieve, "auto")
    assert (found.type, found.id) == ("model", "auto")


async def test_a_model_that_nobody_serves_is_the_apis_404(
    openais: openai.OpenAI, anthropics: anthropic.Anthropic
) -> None:
    with pytest.raises(openai.NotFoundError) as one:
        await asyncio.to_thread(openais.models.retrieve, "org/none")
    with pytest.raises(anthropic.NotFoundError) as other:
        await asyncio.to_thread(anthropics.models.retrieve, "none")
    assert one.value.code == "model_not_found"
    assert "not_found_error" in str(other.value.body)


@pytest.mark.parametrize(
    "path", ["/v1/models", "/v1/models/", "/v1/models/?x=1", "/v1/%6dodels/auto", "/v1/models/auto:latest"]
)
async def test_every_spelling_of_the_path_is_answered(stack: Stack, path: str) -> None:
    reply = await stack.send("GET", path, headers={"origin": "https://a.example", "x-request-id": "mine"})
    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert (reply.headers["access-control-allow-origin"], reply.headers["x-request-id"]) == ("*", "mine")
    head = await stack.send("HEAD", path)
    assert (head.status, head.body) == (200, b"")


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/v1/models"), ("DELETE", "/v1/models/auto"), ("GET", "/v1/modelsx")]
)
async def test_other_requests_are_the_pools(stack: Stack, method: str, path: str) -> None:
    assert (await stack.send(method, path)).body == b"{}"
    assert [(each.method, each.path) for each in stack.small.requests] == [(method, path)]


async def test_pools_are_asked_in_the_background_and_a_broken_one_costs_nothing(stack: Stack) -> None:
    async with running_pool("good") as good, running_pool("broken") as broken:
        good.answer = PoolAnswer((b'{"data": [{"id": "org/adapter", "max_model_len": 4096}]}',))
        broken.answer = PoolAnswer((b"x" * (LIST_BYTES_MAX + 1),))
        clusters = {
            "vllm_small": {"endpoints": [broken.address]},
            "vllm_large": {"endpoints": [good.address]},
        }
        config = config_for("", "", Path(), envoy={"clusters": clusters})
        models = PoolModels()
        async with ModelLists(config, models).running():
            await stack.until(lambda: bool(models.of("vllm_large") and broken.requests))
        assert models.of("vllm_large") == {"org/adapter": ListedModel("org/adapter", 4096)}
        assert models.of("vllm_small") == {}


async def test_without_the_server_the_default_pool_lists_its_own(stack: Stack) -> None:
    stack.small.answer = PoolAnswer((b'{"data": []}',))
    stack.worker.signal(signal.SIGKILL)
    try:
        reply = await stack.send("GET", "/v1/models")
        assert (reply.status, reply.body) == (200, b'{"data": []}')
    finally:
        stack.worker.start()
        await stack.joined()
