"""The policy's pages: what is asked, who may ask, and how a refusal looks."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from router_extproc.admin.access import Access
from router_extproc.admin.server import AdminServer
from router_extproc.llm.answer import JsonValue
from router_extproc.testing.admin import TOKEN, NoOperations

JSON = {"content-type": "application/json"}
BEARER = {"authorization": f"Bearer {TOKEN}"}


class FakeControl:
    """Answers what it is told to. Fits admin.base.PolicyControl."""

    def __init__(self) -> None:
        self.told: JsonValue = {"result": "applied", "version": 2, "problems": []}
        self.asked: list[str] = []

    async def state(self) -> JsonValue:
        self.asked.append("state")
        return self.told

    async def reload(self) -> JsonValue:
        self.asked.append("reload")
        return self.told

    async def rollback(self, to: int | None) -> JsonValue:
        self.asked.append(f"rollback {to}")
        return self.told


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@asynccontextmanager
async def running(control: FakeControl | None, access: Access | None = None) -> AsyncIterator[str]:
    server = AdminServer(NoOperations(), "127.0.0.1:0", max_body_bytes=1024, policy=control, access=access)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.aclose()


@pytest.fixture
async def url(control: FakeControl) -> AsyncIterator[str]:
    async with running(control) as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_the_policy_is_shown(url: str, client: aiohttp.ClientSession, control: FakeControl) -> None:
    async with client.get(f"{url}/policy") as answer:
        assert (answer.status, await answer.json()) == (200, control.told)


async def test_a_silent_supervisor_is_an_error(
    url: str, client: aiohttp.ClientSession, control: FakeControl
) -> None:
    control.told = None
    async with client.get(f"{url}/policy") as answer:
        assert answer.status == 503


async def test_a_reload_says_what_is_in_force(
    url: str, client: aiohttp.ClientSession, control: FakeControl
) -> None:
    async with client.post(f"{url}/policy/reload", headers=JSON) as answer:
        assert (answer.status, (await answer.json())["version"]) == (200, 2)
    assert control.asked == ["reload"]


async def test_a_refused_reload_has_all_its_problems_and_a_status_of_its_own(
    url: str, client: aiohttp.ClientSession, control: FakeControl
) -> None:
    control.told = {"result": "refused", "problems": [{"path": "workers", "problem": "needs a restart"}]}
    async with client.post(f"{url}/policy/reload", headers=JSON) as answer:
        assert (answer.status, await answer.json()) == (422, control.told)


@pytest.mark.parametrize(("body", "asked"), [("", "None"), ("{}", "None"), ('{"to": 3}', "3")])
async def test_a_rollback_may_name_a_version(
    url: str, client: aiohttp.ClientSession, control: FakeControl, body: str, asked: str
) -> None:
    async with client.post(f"{url}/policy/rollback", data=body, headers=JSON) as answer:
        assert answer.status == 200
    assert control.asked == [f"rollback {asked}"]


@pytest.mark.parametrize("body", ["[]", '{"to": 0}', '{"to": "1"}', '{"to": true}', '{"two": 1}', "{"])
async def test_anything_else_names_no_version(
    url: str, client: aiohttp.ClientSession, control: FakeControl, body: str
) -> None:
    async with client.post(f"{url}/policy/rollback", data=body, headers=JSON) as answer:
        assert answer.status == 400
    assert control.asked == []


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/policy"), ("POST", "/policy/reload"), ("POST", "/policy/rollback")]
)
async def test_the_policy_is_for_whoever_has_the_token(
    client: aiohttp.ClientSession, control: FakeControl, method: str, path: str
) -> None:
    async with running(control, Access.of("127.0.0.1:0", token=TOKEN)) as url:
        async with client.request(method, f"{url}{path}", headers=JSON) as answer:
            assert answer.status == 401
        async with client.request(method, f"{url}{path}", headers=JSON | BEARER) as answer:
            assert answer.status == 200


async def test_a_page_of_another_site_reloads_nothing(
    url: str, client: aiohttp.ClientSession, control: FakeControl
) -> None:
    for headers in ({"origin": "http://evil.example", **JSON}, {}):
        async with client.post(f"{url}/policy/reload", data=b"", headers=headers) as answer:
            assert answer.status in {403, 415}
    assert control.asked == []


async def test_where_nothing_can_be_reloaded_there_is_no_policy(client: aiohttp.ClientSession) -> None:
    async with running(None) as url, client.get(f"{url}/policy") as answer:
        assert answer.status == 404
