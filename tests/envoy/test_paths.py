"""Every spelling of an inference path is read or refused, and operators' paths reach no pool."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from router_extproc.testing.pools import HEALTH_PATH
from router_extproc.testing.raw_http import RawReply, exchange
from router_extproc.testing.stack import Stack, running_stack

pytestmark = pytest.mark.asyncio(loop_scope="module")

BODY = json.dumps({"model": "auto", "messages": [{"role": "user", "content": "maths"}]}).encode()

#: What a server that decodes, folds or routes loosely takes for /v1/chat/completions.
READ = [
    "/v1/chat/completions",
    "/v1/chat/completions?a=b",
    "/v1/chat/completions?",
    "/v1/chat/completions/",
    "/v1/chat/completions/?a=b",
    "/v1/chat/completions//",
    "/v1/chat/%63ompletions",
    "/%76%31/%63%68%61%74/%63%6f%6d%70%6c%65%74%69%6f%6e%73",
    "//v1/chat/completions",
    "///v1//chat///completions",
    "/v1/./chat/completions",
    "/x/../v1/chat/completions",
    "/x/%2e%2e/v1/chat/completions",
    "/x/.%2E/v1/chat/completions",
    "/x/..%2fv1/chat/completions",
    "/v1/chat/completions/.",
    "/v1/chat/completions/x/..",
    "/v1/chat%2fcompletions",
    "/v1%2Fchat%2F%2Fcompletions",
    "/v1/chat/completions%2f",
    "/v1\\chat\\completions",
    "/v1%5cchat/completions",
    "http://gateway/v1/chat/completions",
    "http://gateway//v1/./%63hat/completions/",
    "/v1/chat/completion%73?a=/../x",
]
REFUSED = [
    "/v1/chat/completions;a=b",
    "/v1/chat;x/completions",
    "/v1;/chat/completions",
    "/v1/chat/completions%3Ba=b",
    "/V1/chat/completions",
    "/v1/chat/Completions",
    "/v1/CHAT/completions/",
    "/v1/chat/%43ompletions",
    "/v1/chat/%2563ompletions",
    "/v1/chat/%252563ompletions",
    "/v1/chat%252fcompletions",
    "/x/%252e%252e/v1/chat/completions",
    "/v1/chat/completions%0a",
    "/v1/chat/completions%0A",
    "/v1/chat/completions%00",
    "/v1/chat/completions%20",
    "/v1/chat/completions%c2%85",
    "/v1/chat/completions.",
    "/v1/chat/completions/%20",
    "/v1/chat/completions%09",
    "/v1/chat/completions%7f",
    "/v1/chat/completions%3Fa",
    "/v1/chat/completions%23a",
    "/v1/chat/completions#a",
    "/v1/chat/completions%",
    "/v1/chat/completions%6",
    "/v1/chat/%zzcompletions",
    "/v1/chat/%u0063ompletions",
    "/v1/chat/c\u00f3mpletions",
]
#: Of vLLM's server.
OPERATORS = [
    "/sleep",
    "/sleep?level=2",
    "/sleep/",
    "//sleep",
    "/sl%65ep",
    "/x/../sleep",
    "/SLEEP",
    "/wake_up",
    "/is_sleeping",
    "/shutdown_weight_transfer_engine",
    "/release_kv_cache_memory",
    "/kv_event_sources",
    "/pause",
    "/resume",
    "/v1/load_lora_adapter",
    "/v1/unload_lora_adapter",
    "/metrics",
    "/metrics/",
    "/reset_prefix_cache",
    "/reset_mm_cache",
    "/collective_rpc",
    "/server_info",
    "/scale_elastic_ep",
    "/start_profile",
    "/stop_profile",
    "/update_weights",
    "/abort_requests",
    "/load",
    "/invocations",
]

OTHERS = [
    "/v1/modelsx",
    "/v1/files/org%2Fmodel",
    "/health",
    "/version",
    "/v1/files/%C3%A9%20x",
    "/tokenize",
    "/a~b-c_d",
    "/v1/chat/completions/render",
    "/v1/chat/completions_v2",
]


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def denying(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Nothing but inference passes."""
    async with running_stack(tmp_path_factory.mktemp("deny"), envoy={"other_paths": "deny"}) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def listing(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Some paths pass, one of them an operator's, one of them another API's."""
    listed = ["/metrics", "/v1/files/*", "/inference/v1/generate"]
    async with running_stack(tmp_path_factory.mktemp("list"), envoy={"other_paths": listed}) as stack:
        yield stack


async def send(stack: Stack, path: str, method: str = "POST") -> RawReply:
    headers = [f"content-length: {len(BODY)}"]
    return await exchange(stack.envoy.listen, f"{method} {path}", [BODY], headers=headers)


def code(reply: RawReply) -> str:
    """Of the API's error object."""
    assert reply.headers["content-type"] == "application/json"
    error = json.loads(reply.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return str(error["code"])


def asked(stack: Stack) -> list[str]:
    return [request.path for request in (*stack.small.requests, *stack.large.requests)]


def counted(stack: Stack, name: str) -> int:
    """Envoy has a policy's counter from its first request on."""
    return stack.envoy.counters(f"http.clients.rbac.{name}").get(f"http.clients.rbac.{name}", 0)


async def test_what_a_pool_may_take_for_inference_is_read(stack: Stack) -> None:
    found = {path: (await send(stack, path)).headers.get("x-router-model") for path in READ}
    assert found == dict.fromkeys(READ, "large")
    assert {path.partition("?")[0] for path in asked(stack)} == {"/v1/chat/completions"}


async def test_a_pool_gets_the_query_as_it_was(stack: Stack) -> None:
    await send(stack, "/v1/chat/completions/?a=/../b/&c=%2f;d")
    assert asked(stack) == ["/v1/chat/completions?a=/../b/&c=%2f;d"]


async def test_what_only_an_attacker_writes_is_refused(stack: Stack) -> None:
    found = {path: await send(stack, path) for path in REFUSED}
    assert {path: reply.status for path, reply in found.items()} == dict.fromkeys(REFUSED, 400)
    assert {code(reply) for reply in found.values()} == {"ambiguous_path", "malformed_request"}
    assert not asked(stack)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_operators_path_reaches_no_pool(stack: Stack, method: str) -> None:
    found = {path: await send(stack, path, method) for path in OPERATORS}
    assert {path: reply.status for path, reply in found.items()} == dict.fromkeys(OPERATORS, 403)
    assert {code(reply) for reply in found.values()} == {"path_denied"}
    assert not asked(stack)


async def test_every_other_path_passes(stack: Stack) -> None:
    found = [(await send(stack, path, "GET")).status for path in OTHERS]
    assert found == [200] * len(OTHERS)
    # What a pool was asked for its health it does not list.
    assert len(asked(stack)) == len([path for path in OTHERS if path != HEALTH_PATH])


async def test_a_refusal_is_counted_by_its_reason(stack: Stack) -> None:
    names = ("router_operator_path", "router_ambiguous_path")
    before = [counted(stack, f"router.policy.{name}.denied") for name in names]
    await send(stack, "/sleep")
    await send(stack, "/v1/chat/completions;a")
    after = [counted(stack, f"router.policy.{name}.denied") for name in names]
    assert after == [count + 1 for count in before]


#: Method, path, and whether it is counted.
UNREAD = [
    ("POST", "/v1/messages/count_tokens/x", 1),
    ("POST", "/v1/messages/count_tokens", 0),
    ("POST", "/v1/audio/transcriptions/", 0),
    ("POST", "/v1/Responses/Compact?a", 1),
    ("POST", "/v1/responses", 0),
    ("POST", "/api/v1/chat/completions", 1),
    ("POST", "/inference/v1/generate", 1),
    ("GET", "/v1/responses/1", 0),
    ("POST", "/v1/files", 0),
    ("POST", "/v1/chat/completions", 0),
    ("POST", "/v1/completions", 0),
    ("POST", "/v1/messages", 0),
    ("POST", "/v1/chat/completions;a", 0),
]


async def test_what_seems_to_be_inference_and_passes_unread_is_counted(stack: Stack) -> None:
    found = []
    for method, path, _ in UNREAD:
        before = counted(stack, "router_unread.shadow_denied")
        await send(stack, path, method)
        found.append((method, path, counted(stack, "router_unread.shadow_denied") - before))
    assert found == UNREAD


async def test_it_is_counted_by_what_its_path_holds_once(stack: Stack) -> None:
    """An operator sees which API is used past every rule; the names are few, whatever clients ask for."""
    wanted = {
        "/v1/messages/batches": "messages",
        "/v1/Responses/Compact?a": "responses",
        "/inference/v1/generate": "generate",
        "/api/v1/chat/completions": "completions",
        "/v9/embeddings/x": "embeddings",
        "/images/messages/completions": "completions",
    }
    found = {}
    for path in wanted:
        before = by_name(stack)
        await send(stack, path)
        found[path] = " ".join(name for name, count in by_name(stack).items() if count > before.get(name, 0))
    assert found == wanted


def by_name(stack: Stack) -> dict[str, int]:
    begins, ends = "http.clients.rbac.router_unread.policy.router_unread_", ".shadow_denied"
    counters = stack.envoy.counters(begins)
    names = (name for name in counters if name.endswith(ends))
    return {name.removeprefix(begins).removesuffix(ends): counters[name] for name in names}


async def test_denied_leaves_inference_and_what_its_clients_need(denying: Stack) -> None:
    wanted = {"/v1/models": 200, "/v1/models/org/model": 200, "/v1/chat/completions/": 200}
    denied = [
        "/",
        "/v1",
        "/v1/",
        "/health",
        "/inference/v1/generate",
        "/tokenize",
        "/v1/modelsx",
        "/metrics",
        "/v1/chat",
    ]
    paths = [*wanted, *denied]
    found = {path: (await send(denying, path)).status for path in paths}
    assert found == {**wanted, **dict.fromkeys(denied, 403)}
    assert code(await send(denying, "/health")) == "path_denied"


async def test_a_list_lets_exactly_its_paths_pass(listing: Stack) -> None:
    wanted = ["/metrics", "/v1/files/", "/v1/files/a/b", "/v1/chat/completions", "/inference/v1/generate"]
    denied = [
        "/metrics/x",
        "/rerank",
        "/v1/files",
        "/v1/filesx",
        "/v1/models",
        "/METRICS",
        "/sleep",
        "/v1/messages/x",
    ]
    found = {path: (await send(listing, path)).status for path in [*wanted, *denied]}
    assert found == {**dict.fromkeys(wanted, 200), **dict.fromkeys(denied, 403)}


async def test_a_listed_path_that_seems_to_be_inference_is_counted(listing: Stack) -> None:
    before = counted(listing, "router_unread.shadow_denied")
    for path in ("/inference/v1/generate", "/v1/responses"):
        await send(listing, path)
    assert counted(listing, "router_unread.shadow_denied") == before + 1
