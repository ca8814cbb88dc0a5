"""Paths under a prefix, and Azure's: read as the plain ones, and the pool gets the plain one."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator

import openai
import pytest
import pytest_asyncio

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import PATH, Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

ASKED = {"messages": [{"role": "user", "content": "maths"}]}
DEPLOYMENT = "/openai/deployments"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def module_stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    envoy = {"path_prefixes": ["/openai", "/api"]}
    async with running_stack(tmp_path_factory.mktemp("stack"), envoy=envoy) as stack:
        yield stack


@pytest.mark.parametrize("prefix", ["", "/openai", "/api"])
@pytest.mark.parametrize("path", [PATH, "/v1/embeddings", "/v1/completions", "/tokenize", "/v1/rerank"])
async def test_every_read_path_is_read_behind_every_prefix(stack: Stack, prefix: str, path: str) -> None:
    for rest in ("", "/?api-version=1"):
        body = {"model": "large", "input": "x", "prompt": "x", **ASKED}
        reply = await stack.send("POST", f"{prefix}{path}{rest}", json=body)
        assert (reply.status, reply.headers["x-router-model"]) == (200, "large")
    assert [each.path.partition("?")[0] for each in stack.large.requests] == [path, path]
    assert stack.large.requests[1].path.partition("?")[2] == "api-version=1"


@pytest.mark.parametrize(
    ("name", "body", "answers"),
    [("large", {}, "large"), ("small", {"model": "large"}, "small"), ("auto", {"model": "gpt-4o"}, "large")],
)
async def test_a_deployments_name_is_the_model(
    stack: Stack, name: str, body: dict[str, str], answers: str
) -> None:
    """As in Azure, whatever the body says."""
    path = f"{DEPLOYMENT}/{name}/chat/completions?api-version=2024-10-21"
    reply = await stack.send("POST", path, json={**body, **ASKED})
    assert (reply.status, reply.headers["x-router-model"]) == (200, answers)
    (request,) = (stack.small if answers == "small" else stack.large).requests
    assert request.path == f"{PATH}?api-version=2024-10-21"
    assert f'"model":"tiny-{answers}"'.encode() in request.body.replace(b": ", b":")


async def test_a_deployment_that_nobody_serves_is_a_404(stack: Stack) -> None:
    reply = await stack.send("POST", f"{DEPLOYMENT}/none/chat/completions", json=ASKED)
    assert (reply.status, reply.json()["error"]["code"]) == (404, "model_not_found")


async def test_azures_client_is_served(stack: Stack) -> None:
    stack.large.answer = PoolAnswer((answer_json("Two."),))

    def ask() -> str | None:
        with openai.AzureOpenAI(
            azure_endpoint=stack.envoy.url, api_key="-", api_version="2024-10-21", max_retries=0
        ) as client:
            found = client.chat.completions.create(
                model="large", messages=[{"role": "user", "content": "maths"}]
            )
            return found.choices[0].message.content

    assert await asyncio.to_thread(ask) == "Two."


async def test_the_list_of_models_is_behind_each_prefix(stack: Stack) -> None:
    for prefix in ("", "/openai", "/api"):
        reply = await stack.send("GET", f"{prefix}/v1/models")
        assert reply.json()["data"][0]["id"] == "auto"


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/OPENAI{PATH}", 400),
        (f"/api{PATH}%20", 400),
        (f"{DEPLOYMENT}/large/Chat/completions", 400),
        ("/api/metrics", 200),
        ("/apix/v1/chat/completions", 200),
    ],
)
async def test_only_the_prefix_itself_is_one(stack: Stack, path: str, status: int) -> None:
    assert (await stack.send("POST", path, json=ASKED)).status == status


async def test_an_error_of_envoys_has_the_form_of_the_api_behind_the_prefix(stack: Stack) -> None:
    stack.small.dies = stack.large.dies = True
    body = {"model": "large", "max_tokens": 5, **ASKED}
    for path in ("/v1/messages", "/openai/v1/messages"):
        reply = await stack.send("POST", path, json=body)
        assert (reply.status, reply.json()["type"]) == (503, "error")


async def test_what_is_read_is_not_counted_as_unread_whatever_its_deployment_is_called(stack: Stack) -> None:
    name = "http.clients.rbac.router_unread.shadow_denied"
    before = stack.envoy.counters(name)[name]
    for deployed in ("score-1", "images", "rerank"):
        await stack.send("POST", f"{DEPLOYMENT}/{deployed}/chat/completions", json=ASKED)
    assert stack.envoy.counters(name)[name] == before
    await stack.send("POST", "/openai/score/x", json=ASKED)
    assert stack.envoy.counters(name)[name] == before + 1


async def test_without_the_server_the_pool_gets_the_plain_path_too(stack: Stack) -> None:
    stack.worker.signal(signal.SIGKILL)
    try:
        for path in (f"/api{PATH}/?a=b", f"{DEPLOYMENT}/x/chat/completions?a=b", f"/openai{PATH}?a=b"):
            assert (await stack.send("POST", path, json=ASKED)).status == 200
        assert [each.path for each in stack.small.requests] == [f"{PATH}?a=b"] * 3
    finally:
        stack.worker.start()
        await stack.joined()
