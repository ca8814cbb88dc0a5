"""The fragments, put into an Envoy that someone else owns as docs/how-to/include.md says."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
import yaml

from router_extproc.config.model import Config
from router_extproc.envoy_config.render import render
from router_extproc.testing.raw_http import exchange
from router_extproc.testing.stack import PATH, Stack, running_stack

OWNERS = Path(__file__).with_name("theirs.yaml")


def included(config: Config) -> str:
    """The owner's Envoy with our fragments, following the steps of docs/how-to/include.md."""
    files = {name: yaml.safe_load(text) for name, text in render(config, "include").items()}
    theirs = yaml.safe_load(OWNERS.read_text())
    resources = theirs["static_resources"]
    listener = resources["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    # 1. filters
    filters = files["include/filters.yaml"]
    manager["http_filters"] = [*filters.pop("http_filters"), *manager["http_filters"]]
    manager |= filters
    # 2. clusters
    resources["clusters"] += files["include/clusters.yaml"]["clusters"]
    # 3. routes
    ours = files["include/routes.yaml"]["virtual_hosts"][0]
    host = manager["route_config"]["virtual_hosts"][0]
    host["routes"] += ours["routes"]
    host |= {key: value for key, value in ours.items() if key not in {"name", "domains", "routes"}}
    for where, text in ((listener, config.envoy.listen), (theirs["admin"], config.envoy.admin or "")):
        where["address"]["socket_address"]["port_value"] = int(text.rpartition(":")[2])
    return str(yaml.safe_dump(theirs))


@pytest.mark.parametrize("profile", ["split", "inline"])
async def test_a_foreign_envoy_routes_as_ours_does(tmp_path: Path, profile: str) -> None:
    async with running_stack(tmp_path, bootstrap=included, envoy={"profile": profile}) as stack:
        await _check(stack)


async def _check(stack: Stack) -> None:
    routed = await stack.chat("maths", headers={"x-router-cluster": "vllm_small"})
    assert routed.headers["x-router-model"] == "large"
    assert len(stack.large.requests) == 1
    assert (await stack.send("GET", "/theirs")).status == 204
    assert await _asked(stack, "POST //v1/chat/%63ompletions/") == "large"
    for path in ("/v1/chat/completions;a", "/v1/chat/%2563ompletions", "/metrics"):
        assert await _asked(stack, f"POST {path}") is None
    stack.large.requests.clear()
    refused = await stack.send("POST", "/v1/chat/completions", data=io.BytesIO(b"x" * 3_000_000))
    assert refused.status == 413
    assert refused.json()["error"]["code"] == "request_too_large"


async def _asked(stack: Stack, head: str) -> str | None:
    """The model that the client is told of; None: refused, and no pool saw it."""
    body = b'{"messages": [{"role": "user", "content": "maths"}], "model": "auto"}'
    stack.reset()
    reply = await exchange(stack.envoy.listen, head, [body], headers=[f"content-length: {len(body)}"])
    if reply.status < 400:
        return reply.headers["x-router-model"]
    assert b'"error"' in reply.body
    assert not (*stack.small.requests, *stack.large.requests)
    return None


async def test_a_foreign_envoy_tells_pages_what_ours_does(tmp_path: Path) -> None:
    page, other = {"origin": "https://app.example"}, {"origin": "https://other.example"}
    envoy = {"cors": {"allow_origins": ["https://app.example"]}}
    async with running_stack(tmp_path, bootstrap=included, envoy=envoy) as stack:
        told = [(await stack.chat("", headers=headers)).headers for headers in (page, other, {})]
        preflight = await stack.send(
            "OPTIONS", PATH, headers={**page, "access-control-request-method": "POST"}
        )
    pages = [headers.get("access-control-allow-origin") for headers in (*told, preflight.headers)]
    assert pages == ["https://app.example", None, None, "https://app.example"]
