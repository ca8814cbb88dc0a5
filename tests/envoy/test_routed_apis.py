"""APIs that are only routed by the model they name, through a real Envoy: their bodies, limits and errors."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest

from router_extproc.dialects.routed import ROUTED_PATHS
from router_extproc.testing.pools import RecordingPool
from router_extproc.testing.stack import Reply, Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

BOUNDARY = "----aZ09'()+_,-./:=?"
FORM_TYPE = f'multipart/form-data; boundary="{BOUNDARY}"'
BODIES = [path for path in ROUTED_PATHS if not path.startswith("/v1/audio/t")]
FORMS = [path for path in ROUTED_PATHS if path.startswith("/v1/audio/t")]
FILE = bytes(range(256)) * 4


def form(*fields: tuple[str, bytes], file: bytes = FILE, first: bool = False) -> bytes:
    """A form with a file; `first`: before the fields."""
    line = f"--{BOUNDARY}\r\n".encode()
    parts = [
        f'Content-Disposition: form-data; name="{name}"\r\n\r\n'.encode() + value for name, value in fields
    ]
    audio = (
        b'Content-Disposition: form-data; name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n'
        + file
    )
    parts.insert(0 if first else len(parts), audio)
    return b"".join(line + part + b"\r\n" for part in parts) + f"--{BOUNDARY}--\r\n".encode()


async def post(stack: Stack, path: str, body: bytes, content_type: str, **more: Any) -> Reply:
    return await stack.send("POST", path, data=body, headers={"content-type": content_type}, **more)


def check_arrived(pool: RecordingPool, path: str, body: bytes) -> None:
    (request,) = pool.requests
    assert (request.path, request.body) == (path, body)
    assert request.headers["content-length"] == str(len(body))


@pytest.mark.parametrize("path", BODIES)
async def test_a_body_reaches_the_pool_of_its_model(stack: Stack, path: str) -> None:
    body = b'{ "input": "\\u00e9",  "model" : "large" }'
    reply = await post(stack, path, body, "application/json")
    check_arrived(stack.large, path, body.replace(b"large", b"tiny-large"))
    assert not stack.small.requests
    told = {name: value for name, value in reply.headers.items() if "router" in name}
    assert told == {"x-router-model": "large", "x-router-decision": "pinned", "x-router-cache": "bypass"}


@pytest.mark.parametrize("path", FORMS)
@pytest.mark.parametrize("first", [True, False])
async def test_a_form_reaches_the_pool_of_its_model(stack: Stack, path: str, first: bool) -> None:  # noqa: FBT001
    reply = await post(stack, path, form(("language", b"en"), ("model", b"large"), first=first), FORM_TYPE)
    assert reply.headers["x-router-model"] == "large"
    check_arrived(stack.large, path, form(("language", b"en"), ("model", b"tiny-large"), first=first))


async def test_a_form_of_a_real_client_is_read(stack: Stack) -> None:
    """The client chooses the boundary, and sends in chunks without a length."""
    data = aiohttp.FormData({"model": "auto"})
    data.add_field("file", FILE * 200, filename="a.wav", content_type="audio/wav")
    reply = await stack.send("POST", FORMS[0], data=data)
    assert (reply.headers["x-router-model"], reply.headers["x-router-decision"]) == ("small", "default")
    (request,) = stack.small.requests
    assert b'name="model"\r\n\r\ntiny-small\r\n' in request.body
    assert FILE * 200 in request.body


@pytest.mark.parametrize(
    ("path", "body", "content_type"),
    [
        ("/tokenize", b'{"prompt": "x"}', "application/json"),
        ("/tokenize", b'{"model": null}', "application/json"),
        ("/rerank", b'{"model": "lar', "application/json"),
        ("/v1/messages/count_tokens", b"", "application/json"),
        (FORMS[0], form(("language", b"en")), FORM_TYPE),
        (FORMS[0], form(("model", b"large"))[:60], FORM_TYPE),
        (FORMS[0], form(("model", b"large")), "multipart/form-data"),
        (FORMS[0], form(("model", b"large")), "application/octet-stream"),
        (FORMS[0], b'{"model": "large"}', "application/json"),
    ],
)
async def test_what_names_no_model_reaches_the_default_pool_as_it_is(
    stack: Stack, path: str, body: bytes, content_type: str
) -> None:
    stack.small.answer.status = 400
    reply = await post(stack, path, body, content_type)
    if not body:
        assert reply.status == 400
        return
    check_arrived(stack.small, path, body)
    assert (reply.status, reply.headers["x-router-model"]) == (400, "small")


@pytest.mark.parametrize("path", ROUTED_PATHS)
async def test_an_unknown_model_is_refused_in_the_apis_form(stack: Stack, path: str) -> None:
    body = form(("model", b"none")) if path in FORMS else b'{"model": "none"}'
    reply = await post(stack, path, body, FORM_TYPE if path in FORMS else "application/json")
    assert reply.status == 404
    error = reply.json()["error"]
    expected = "not_found_error" if path.endswith("count_tokens") else "invalid_request_error"
    assert error["type"] == expected
    assert not stack.small.requests
    assert not stack.large.requests


@pytest.mark.parametrize("path", ["/v1/messages/count_tokens", "/tokenize", FORMS[0]])
@pytest.mark.parametrize("announced", [True, False])
async def test_a_body_over_the_limit_is_refused_in_the_apis_form(
    stack: Stack,
    path: str,
    announced: bool,  # noqa: FBT001
) -> None:
    limit = stack.config.limits.max_body_bytes
    body = b'{"model": "large", "x": "' + b"x" * limit + b'"}'

    async def pieces() -> Any:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    reply = await stack.send("POST", path, data=io.BytesIO(body) if announced else pieces())
    assert reply.status == 413
    assert ("type" in reply.json()) == path.endswith("count_tokens")


async def test_a_file_up_to_the_limit_passes(stack: Stack) -> None:
    size = stack.config.limits.max_body_bytes - 1024
    body = form(("model", b"large"), file=b"\r\n" * (size // 2))
    reply = await post(stack, FORMS[0], body, FORM_TYPE)
    assert reply.headers["x-router-model"] == "large"
    assert stack.large.requests[0].body_bytes == len(body) + len("tiny-")


async def test_a_block_holds_for_what_is_embedded_and_not_for_what_is_only_routed(stack: Stack) -> None:
    for model in ("auto", "large"):
        body = json.dumps({"model": model, "input": ["a tree", "something forbidden"]}).encode()
        assert (await post(stack, "/v1/embeddings", body, "application/json")).status == 451
        assert (await post(stack, "/v2/embed", body, "application/json")).status == 200
    assert [len(pool.requests) for pool in (stack.small, stack.large)] == [1, 1]


async def test_slash_and_query_do_not_hide_a_path(stack: Stack) -> None:
    for path in ("/tokenize/", "/v1/rerank/?a=b", "/v1/messages/count_tokens?beta=true"):
        assert (await post(stack, path, b'{"model": "large"}', "application/json")).status == 200
    paths = [request.path for request in stack.large.requests]
    assert paths == ["/tokenize", "/v1/rerank?a=b", "/v1/messages/count_tokens?beta=true"]


@pytest.mark.parametrize("path", ["/tokenize", "/v1/audio/transcriptions"])
async def test_other_methods_and_longer_paths_pass_unread(stack: Stack, path: str) -> None:
    await stack.send("GET", path)
    await post(stack, path + "/more", b'{"model": "large"}', "application/json")
    assert [request.method for request in stack.small.requests] == ["GET", "POST"]
    assert not stack.worker.events()


async def test_the_answer_passes_as_it_is(stack: Stack) -> None:
    stack.large.answer.pieces = (b'{"tokens": ', b"[1, 2]}")
    reply = await post(stack, "/tokenize", b'{"model": "large"}', "application/json")
    assert json.loads(reply.body) == {"tokens": [1, 2]}
    await stack.until(stack.observer_closed)
