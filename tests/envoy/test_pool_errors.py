"""What a client reads when a pool fails: the pool's own words, or an error object where it has none."""

from __future__ import annotations

from pathlib import Path

from router_extproc.testing.stack import free_address, running_stack


async def test_a_pool_that_cannot_be_reached_is_an_error_that_clients_can_read(tmp_path: Path) -> None:
    nobody = {"endpoints": [free_address()]}
    async with running_stack(
        tmp_path, envoy={"clusters": {"vllm_small": nobody, "vllm_large": nobody}}
    ) as stack:
        reply = await stack.chat("maths")
    assert reply.status == 503
    assert reply.headers["content-type"] == "application/json"
    assert reply.json()["error"]["code"] == "pool_unavailable"


async def test_a_pools_own_error_passes_as_it_is(tmp_path: Path) -> None:
    async with running_stack(tmp_path) as stack:
        stack.large.answer.status = 503
        stack.large.answer.pieces = (b'{"error": "mine"}',)
        reply = await stack.chat("maths")
    assert (reply.status, reply.body) == (503, b'{"error": "mine"}')
