"""What Envoy is told about a request: pass, ask, forward, answer, refuse."""

from __future__ import annotations

import json

import pytest

from router_extproc.protocol.events import BodyTooLarge, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import LET_PASS, BodyMode, Role
from router_extproc.testing.client import PATH, Client, answer_json, chat
from router_extproc.testing.router import fake_router

POST = ((":method", "POST"), (":path", PATH))


@pytest.fixture
def client() -> Client:
    return Client(fake_router())


@pytest.mark.parametrize(
    ("method", "path"), [("GET", PATH), ("POST", "/v1/files"), ("POST", PATH + "/x"), ("", "")]
)
async def test_what_is_not_ours_passes_untouched(client: Client, method: str, path: str) -> None:
    sent = await client.send(b"anything", method=method, path=path)
    assert sent.to_headers == HeadersReply(mode_override=LET_PASS)
    assert sent.forwarded.body is None
    assert sent.forwarded.mutation.overwrite == ()


async def test_our_body_is_asked_for_whole(client: Client) -> None:
    sent = await client.send(chat())
    assert isinstance(sent.to_headers, HeadersReply)
    assert sent.to_headers.mode_override is not None
    assert sent.to_headers.mode_override.request_body is BodyMode.BUFFERED


async def test_routing_headers_name_cluster_model_and_decision(client: Client) -> None:
    sent = await client.send(chat())
    names = ("x-router-cluster", "x-router-model", "x-router-decision")
    assert [sent.sent_header(name) for name in names] == ["vllm_small", "small", "default"]


async def test_model_is_rewritten_and_nothing_else(client: Client) -> None:
    body = b'{ "model" : "auto",  "messages":[{"role":"user","content":"\\u00e9"}] }'
    sent = await client.send(body)
    assert sent.forwarded.body == body.replace(b'"auto"', b'"tiny-small"')


async def test_body_that_needs_no_edit_is_not_sent_back(client: Client) -> None:
    assert (await client.send(chat(model="tiny-small"))).forwarded.body is None


async def test_pinned_model_goes_to_its_own_pool(client: Client) -> None:
    sent = await client.send(chat(model="large"))
    assert (sent.sent_header("x-router-cluster"), sent.sent_header("x-router-decision")) == (
        "vllm_large",
        "pinned",
    )


@pytest.mark.parametrize(
    "members", [{"model": "Auto"}, {"model": "auto:latest"}, {"model": None}, {"model": ""}]
)
async def test_a_decorated_name_and_none_at_all_are_routed_and_share_the_cache(
    client: Client, members: dict[str, object]
) -> None:
    sent = await client.send(chat(**members))
    assert sent.sent_header("x-router-decision") == "default"
    assert json.loads(sent.forwarded.body or b"")["model"] == "tiny-small"
    client.answer(sent, answer_json())
    assert (await client.send(chat())).cache == "hit-exact"


async def test_a_request_without_a_model_gets_the_pools_name() -> None:
    sent = await Client(fake_router()).send(b'\xef\xbb\xbf{"messages":[{"role":"system","content":"a"}]}')
    added = b'\xef\xbb\xbf{"model":"tiny-small","messages":[{"role":"system","content":"a"}]}'
    assert sent.forwarded.body == added


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"", 400, None),
        (b"{", 400, None),
        (b"[]", 400, None),
        (chat(model=7), 400, "model"),
        ({"model": "auto"}, 400, "messages"),
        ({"model": "auto", "messages": []}, 400, "messages"),
        (chat(model="hunter2"), 404, "model"),
    ],
)
async def test_bad_request_gets_the_dialects_error_object(
    client: Client, body: object, status: int, param: str | None
) -> None:
    response = (await client.send(body)).immediate
    error = json.loads(response.body)["error"]
    assert response.status == status
    assert error["param"] == param
    assert b"hunter2" not in response.body


async def test_announced_oversize_body_is_refused_before_it_comes(client: Client) -> None:
    """Envoy would hold it until its buffer overflows, and then wait for minutes."""
    driver = client.router.parts.drive(Role.DECIDE)
    reply = await driver.on_request_headers(RequestStarted(Headers(POST), last=False, too_large=True))
    assert isinstance(reply, ImmediateResponse)
    assert (reply.status, json.loads(reply.body)["error"]["code"]) == (413, "request_too_large")


async def test_oversize_body_of_another_path_passes(client: Client) -> None:
    """File uploads are none of our business."""
    driver = client.router.parts.drive(Role.DECIDE)
    pairs = ((":method", "POST"), (":path", "/v1/files"))
    reply = await driver.on_request_headers(RequestStarted(Headers(pairs), last=False, too_large=True))
    assert reply == HeadersReply(mode_override=LET_PASS)


async def test_unannounced_oversize_body_is_refused(client: Client) -> None:
    driver = client.router.parts.drive(Role.DECIDE)
    await driver.on_request_headers(RequestStarted(Headers(POST), last=False))
    reply = await driver.on_request_body(BodyTooLarge(2_000_000))
    assert isinstance(reply, ImmediateResponse)
    assert reply.status == 413


async def test_request_without_a_body_is_refused(client: Client) -> None:
    driver = client.router.parts.drive(Role.DECIDE)
    reply = await driver.on_request_headers(RequestStarted(Headers(POST), last=True))
    assert isinstance(reply, ImmediateResponse)
    assert reply.status == 400


@pytest.mark.parametrize("coding", ["compress", "gzip, gzip", "dcb"])
async def test_a_coding_that_is_not_read_is_refused_with_those_that_are(client: Client, coding: str) -> None:
    response = (await client.send(b"\x1f\x8b", content_encoding=coding)).immediate
    assert response.status == 415
    assert dict(response.headers)["accept-encoding"] == "gzip, deflate, zstd, br"
    assert json.loads(response.body)["error"]["param"] == "content-encoding"


async def test_every_decision_is_reported_once(client: Client) -> None:
    await client.send(chat())
    await client.send(b"{")
    assert len(client.router.reports.decisions) == 2
