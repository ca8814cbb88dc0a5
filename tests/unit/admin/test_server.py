from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from router_extproc.admin.access import Access
from router_extproc.admin.base import Health, Question
from router_extproc.admin.peers import Peers, socket_of
from router_extproc.admin.server import AdminServer
from router_extproc.dialects.base import Rendered
from router_extproc.errors import ConfigError, MalformedRequest
from router_extproc.llm.answer import JsonValue
from router_extproc.pipeline.decision import Reject
from router_extproc.pipeline.explain import RequestExplained
from router_extproc.testing.admin import TOKEN

WAIT_S = 10.0
JSON = {"content-type": "application/json"}
BEARER = {"authorization": f"Bearer {TOKEN}"}
METRICS = b'# HELP a b\n# TYPE a counter\na{worker="0"} 1.0\n'


class FakeOperations:
    """Answers what it is told to. Fits admin.base.Operations."""

    def __init__(self) -> None:
        self.state = Health(ready=True, detail={"encoder": "fake"})
        self.asked: list[Question] = []
        rejected = Reject(MalformedRequest("no"), Rendered("application/json", b"{}"))
        self.decision: RequestExplained | None = RequestExplained(rejected)
        self.never = False
        self.refusals: list[str] = []

    async def metrics(self) -> bytes:
        if self.never:
            await asyncio.Event().wait()
        return METRICS

    def savings(self) -> JsonValue:
        return {"total": {"saved": 3.5}}

    def evaluations(self) -> JsonValue:
        return {"evaluations": []}

    async def health(self) -> Health:
        return self.state

    async def explain(self, question: Question) -> RequestExplained | None:
        self.asked.append(question)
        return self.decision

    def refused(self, reason: str) -> None:
        self.refusals.append(reason)


@pytest.fixture
def operations() -> FakeOperations:
    return FakeOperations()


@asynccontextmanager
async def running(
    operations: FakeOperations, access: Access | None = None, **limits: Any
) -> AsyncIterator[str]:
    server = AdminServer(operations, "127.0.0.1:0", max_body_bytes=1024, access=access, **limits)
    await server.start()
    yield f"http://127.0.0.1:{server.port}"
    await server.aclose()


@pytest.fixture
async def url(operations: FakeOperations) -> AsyncIterator[str]:
    async with running(operations) as url:
        yield url


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def test_metrics_are_prometheus_text(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{url}/metrics") as answer:
        assert await answer.read() == METRICS
        assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")


async def test_savings_are_told_as_json(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{url}/savings") as answer:
        assert await answer.json() == {"total": {"saved": 3.5}}


async def test_evaluations_are_told_as_json(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{url}/shadow") as answer:
        assert await answer.json() == {"evaluations": []}


async def test_a_ready_process_says_so_with_its_detail(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{url}/readyz") as answer:
        assert (answer.status, await answer.json()) == (
            200,
            {"ready": True, "draining": False, "encoder": "fake"},
        )


@pytest.mark.parametrize("health", [Health(ready=False), Health(ready=True, draining=True)])
async def test_a_process_that_must_not_be_sent_requests_is_not_ready(
    url: str, client: aiohttp.ClientSession, operations: FakeOperations, health: Health
) -> None:
    operations.state = health
    async with client.get(f"{url}/readyz") as answer:
        assert (answer.status, (await answer.json())["ready"]) == (503, False)


async def test_a_draining_process_is_still_alive(
    url: str, client: aiohttp.ClientSession, operations: FakeOperations
) -> None:
    """Kubernetes would otherwise kill it before its streams have ended."""
    operations.state = Health(ready=True, draining=True)
    async with client.get(f"{url}/healthz") as answer:
        assert answer.status == 200


async def test_explain_hands_over_the_request_as_it_came(
    url: str, client: aiohttp.ClientSession, operations: FakeOperations
) -> None:
    headers = JSON | {"Authorization": "Bearer one"}
    async with client.post(f"{url}/explain?path=/v1/x", data=b"{}", headers=headers) as answer:
        assert await answer.json() == {
            "outcome": "reject", "status": 400, "code": "invalid_request", "message": "no"
        }  # fmt: skip
    question = operations.asked[0]
    assert (question.method, question.path, question.body) == ("POST", "/v1/x", b"{}")
    assert ("authorization", "Bearer one") in question.headers


async def test_explain_knows_the_clients_headers_from_the_operators(
    client: aiohttp.ClientSession, operations: FakeOperations
) -> None:
    """Else the operator's token would stand for the scope of the client who is asked about."""
    async with running(operations, access=Access.of("127.0.0.1:0", token=TOKEN)) as url:
        headers = JSON | BEARER | {"x-router-client-authorization": "Bearer two"}
        async with client.post(f"{url}/explain", data=b"{}", headers=headers) as answer:
            assert answer.status == 200
        async with client.post(f"{url}/explain", data=b"{}", headers=JSON | BEARER) as answer:
            assert answer.status == 200
    named, unnamed = (dict(question.headers) for question in operations.asked)
    assert named["authorization"] == "Bearer two"
    assert "authorization" not in unnamed


async def test_explain_knows_the_chat_path_by_default(
    url: str, client: aiohttp.ClientSession, operations: FakeOperations
) -> None:
    async with client.post(f"{url}/explain", data=b"{}", headers=JSON):
        assert operations.asked[0].path == "/v1/chat/completions"


async def test_a_path_of_no_dialect_is_not_found(
    url: str, client: aiohttp.ClientSession, operations: FakeOperations
) -> None:
    operations.decision = None
    async with client.post(f"{url}/explain", data=b"{}", headers=JSON) as answer:
        assert answer.status == 404


async def test_a_body_over_the_limit_is_refused(url: str, client: aiohttp.ClientSession) -> None:
    async with client.post(f"{url}/explain", data=b"x" * 2000, headers=JSON) as answer:
        assert answer.status == 413


async def test_the_page_loads_nothing_from_elsewhere(url: str, client: aiohttp.ClientSession) -> None:
    async with client.get(f"{url}/") as answer:
        page = await answer.text()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "'unsafe-inline'" not in answer.headers["content-security-policy"].partition("style-src")[0]
    assert "<title>router_extproc</title>" in page
    assert "src=" not in page
    assert "href=" not in page


async def test_a_foreign_name_is_refused_on_loopback(url: str, client: aiohttp.ClientSession) -> None:
    """A web page whose name was bound to 127.0.0.1 must not read what operators see."""
    async with client.get(f"{url}/metrics", headers={"host": "evil.example"}) as answer:
        assert answer.status == 403


async def test_metrics_have_a_port_of_their_own_that_any_name_reaches(
    operations: FakeOperations, client: aiohttp.ClientSession
) -> None:
    """Prometheus asks a pod by its address or its name."""
    server = AdminServer(operations, "127.0.0.1:0", max_body_bytes=1024, metrics="0.0.0.0:0")
    await server.start()
    try:
        for path in ("/metrics", "/healthz", "/readyz"):
            url = f"http://127.0.0.1:{server.metrics_port}{path}"
            async with client.get(url, headers={"host": "pod.example"}) as answer:
                assert answer.status == 200
    finally:
        await server.aclose()


async def test_port_of_the_metrics_has_nothing_else(operations: FakeOperations) -> None:
    server = AdminServer(operations, "127.0.0.1:0", max_body_bytes=1024, metrics="127.0.0.1:0")
    resources = {resource.canonical for resource in server.metrics_application().router.resources()}
    assert resources == {"/metrics", "/healthz", "/readyz"}


async def test_admin_port_is_not_left_open_when_the_other_cannot_be_had(
    operations: FakeOperations, url: str
) -> None:
    taken = url.removeprefix("http://")
    server = AdminServer(operations, "127.0.0.1:0", max_body_bytes=1024, metrics=taken)
    with pytest.raises(ConfigError, match=f"admin.metrics: {taken} is in use; set admin.metrics to another"):
        await server.start()
    with pytest.raises(RuntimeError):
        _ = server.port


async def test_a_question_that_takes_too_long_is_given_up(
    client: aiohttp.ClientSession, operations: FakeOperations
) -> None:
    operations.never = True
    async with running(operations, answer_s=0.01) as url, client.get(f"{url}/metrics") as answer:
        assert answer.status == 503


@pytest.fixture
async def crowded(operations: FakeOperations) -> AsyncIterator[str]:
    """The address of a port that keeps three connections."""
    async with running(operations, connections_max=3) as url:
        yield url


async def test_whoever_connects_and_says_nothing_takes_nobodys_place(
    crowded: str, client: aiohttp.ClientSession
) -> None:
    """A probe must be answered, and the process keeps descriptors for Envoy."""
    url = crowded
    host, port = url.removeprefix("http://").split(":")
    silent = [await asyncio.open_connection(host, port) for _ in range(10)]
    async with client.get(f"{url}/healthz") as answer:
        assert answer.status == 200
    # All of them are known to the server by now.
    silent.append(await asyncio.open_connection(host, port))
    async with asyncio.timeout(WAIT_S):
        ends = [await reader.read() for reader, _ in silent[:8]]
    assert ends == [b""] * 8
    for _, writer in silent:
        writer.close()


async def test_a_port_in_use_is_named_with_the_key_to_change(operations: FakeOperations, url: str) -> None:
    address = url.removeprefix("http://")
    with pytest.raises(ConfigError, match=f"admin: {address} is in use; set admin to another HOST:PORT"):
        await AdminServer(operations, address, max_body_bytes=1).start()


async def test_an_address_of_another_machine_is_refused(operations: FakeOperations) -> None:
    with pytest.raises(ConfigError, match=r"cannot listen on 192\.0\.2\.1:1"):
        await AdminServer(operations, "192.0.2.1:1", max_body_bytes=1).start()


async def test_closing_before_starting_is_nothing(operations: FakeOperations) -> None:
    server = AdminServer(operations, "127.0.0.1:0", max_body_bytes=1)
    await server.aclose()
    with pytest.raises(RuntimeError):
        _ = server.port


# ── peers ─────────────────────────────────────────────────────────────────────────────────────


async def test_a_worker_is_asked_over_its_socket(operations: FakeOperations, tmp_path: Path) -> None:
    path = socket_of(tmp_path, 1)
    server = AdminServer(operations, f"unix:{path}", max_body_bytes=1)
    await server.start()
    try:
        peers = Peers({1: path})
        assert await peers.metrics() == {1: METRICS}
        assert await peers.ready() == {1: True}
    finally:
        await server.aclose()


async def test_a_worker_that_is_away_is_shown_as_such(tmp_path: Path) -> None:
    peers = Peers({1: socket_of(tmp_path, 1)})
    assert await peers.metrics() == {1: None}
    assert await peers.ready() == {1: False}


async def test_a_worker_that_is_not_ready_is_not_counted_as_ready(
    operations: FakeOperations, tmp_path: Path
) -> None:
    path = socket_of(tmp_path, 1)
    operations.state = Health(ready=False)
    server = AdminServer(operations, f"unix:{path}", max_body_bytes=1)
    await server.start()
    try:
        assert await Peers({1: path}).ready() == {1: False}
    finally:
        await server.aclose()
