"""Requests through a real Envoy reach the pool that the router names, and nothing else does."""

from __future__ import annotations

import asyncio
import json

import pytest
from h2.connection import H2Connection
from h2.events import ResponseReceived

from router_extproc.testing.client import answer_json
from router_extproc.testing.pools import PoolAnswer
from router_extproc.testing.stack import Stack

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_prompt_is_routed_by_what_it_says(stack: Stack) -> None:
    assert (await stack.chat("Some maths, please")).status == 200
    assert (await stack.chat("Some poetry, please")).status == 200
    assert [len(pool.requests) for pool in (stack.large, stack.small)] == [1, 1]


async def test_the_pool_gets_the_rewritten_model_and_the_routing_headers(stack: Stack) -> None:
    await stack.chat("Some maths, please")
    (request,) = stack.large.requests
    assert json.loads(request.body)["model"] == "tiny-large"
    assert request.headers["content-length"] == str(len(request.body))
    named = {name: value for name, value in request.headers.items() if name.startswith("x-router-")}
    assert named == {
        "x-router-cluster": "vllm_large",
        "x-router-model": "large",
        "x-router-decision": "maths",
    }


async def test_the_client_is_told_model_decision_and_cache(stack: Stack) -> None:
    # Of its own: an equal request that is still seen to its end would be waited for.
    reply = await stack.chat("Other maths, please")
    assert reply.headers["x-router-model"] == "large"
    assert reply.headers["x-router-decision"] == "maths"
    assert reply.headers["x-router-cache"] == "miss"
    assert reply.headers["cache-status"] == "router-extproc; fwd=uri-miss"


async def test_a_pool_cannot_tell_the_client_about_routing(stack: Stack) -> None:
    """The headers are the gateway's word; a pool's own must not look like it."""
    forged = {"x-router-model": "forged", "x-router-cache": "hit-exact", "cache-status": "forged; hit"}
    stack.small.answer.headers = forged
    inference, other = await stack.chat("Hello"), await stack.send("GET", "/v1/files")
    assert inference.headers["x-router-model"] == "small"
    assert "forged" not in inference.headers["cache-status"]
    assert not {name for name in other.headers if name.startswith("x-router") or name == "cache-status"}


@pytest.mark.parametrize(
    "name", ["x-router-cluster", "X-Router-Cluster", "x-router-role", "x-router-anything"]
)
async def test_a_client_cannot_choose_the_pool(stack: Stack, name: str) -> None:
    await stack.chat("Some poetry", headers={name: "vllm_large"})
    await stack.send("GET", "/v1/files", headers={name: "vllm_large"})
    assert len(stack.small.requests) == 2
    assert not stack.large.requests
    assert name.lower() not in stack.small.requests[1].headers


async def test_the_server_never_sees_a_header_that_only_we_may_set(stack: Stack) -> None:
    await stack.chat("Some poetry", headers={"x-router-model": "large"})
    (seen,) = [event for event in stack.worker.events() if event["event"] == "request headers"]
    assert not [name for name in seen["names"] if name.startswith("x-router-")]


async def test_other_paths_and_methods_never_reach_the_server(stack: Stack) -> None:
    stack.small.answer.pieces = (b'{"object": "list"}',)
    models = await stack.send("GET", "/v1/files?limit=3")
    await stack.send("GET", "/v1/chat/completions")
    await stack.send("POST", "/v1/files", data=b"x")
    assert models.json() == {"object": "list"}
    assert [(each.method, each.path) for each in stack.small.requests] == [
        ("GET", "/v1/files?limit=3"),
        ("GET", "/v1/chat/completions"),
        ("POST", "/v1/files"),
    ]
    assert not stack.worker.events()


async def test_a_query_string_does_not_hide_an_inference_request(stack: Stack) -> None:
    await stack.chat("Some maths", path="/v1/chat/completions?api-version=1")
    assert stack.large.requests[0].path == "/v1/chat/completions?api-version=1"


async def test_a_clients_envoy_headers_have_no_power(stack: Stack) -> None:
    """x-envoy-* could set timeouts and retries, or claim to come from inside."""
    claims = {
        "x-envoy-upstream-rq-timeout-ms": "1",
        "x-envoy-retry-on": "5xx",
        "x-envoy-internal": "true",
        "x-envoy-original-path": "/admin",
    }
    await stack.chat("Hello", headers=claims)
    (request,) = stack.small.requests
    assert not set(claims) & set(request.headers)


async def test_the_routers_own_errors_pass_as_they_are(stack: Stack) -> None:
    reply = await stack.send(
        "POST", "/v1/chat/completions", data=b"{", headers={"content-type": "text/plain"}
    )
    assert reply.status == 400
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert not stack.small.requests


async def test_http2_clients_are_served(stack: Stack) -> None:
    """By prior knowledge, as clients behind another proxy do it."""
    assert (await _h2_get(stack.envoy.listen, "/v1/files")) == b":status 200"


async def _h2_get(address: str, path: str) -> bytes:
    host, port = address.split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    connection = H2Connection()
    connection.initiate_connection()
    pseudo = [(":method", "GET"), (":path", path), (":scheme", "http"), (":authority", address)]
    connection.send_headers(1, pseudo, end_stream=True)
    writer.write(connection.data_to_send())
    try:
        while True:
            for event in connection.receive_data(await asyncio.wait_for(reader.read(65536), 5)):
                if isinstance(event, ResponseReceived):
                    return b" ".join(event.headers[0])
    finally:
        writer.close()


async def test_envoy_counts_no_spurious_message_and_no_rejected_mutation(stack: Stack) -> None:
    """Either would mean that server and configuration misunderstand each other."""
    for prompt in ("maths", "poetry"):
        await stack.chat(prompt)
    counters = stack.envoy.counters("http.clients.ext_proc.")
    assert counters["http.clients.ext_proc.decide.stream_msgs_received"] >= 4
    bad = ("spurious_msgs_received", "rejected_header_mutations", "failure_mode_allowed", "streams_failed")
    assert not {name: count for name, count in counters.items() if name.endswith(bad) and count}


async def test_a_clients_word_about_an_answer_is_heard_and_goes_no_further(stack: Stack) -> None:
    """The one header of ours that a client may send."""
    stack.small.answer = PoolAnswer((answer_json(),))
    await stack.chat("doubtful")
    await stack.until(stack.observer_closed)
    assert (await stack.chat("doubtful")).headers["x-router-cache"] == "hit-exact"
    again = await stack.chat("doubtful", headers={"x-router-cache-feedback": "wrong"})
    assert again.headers["x-router-cache"] == "bypass"
    assert len(stack.small.requests) == 2
    assert "x-router-cache-feedback" not in stack.small.requests[-1].headers
