"""An Envoy that was rendered from another configuration than the server's: told apart, nothing stored."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal

import pytest

from router_extproc.config.model import Config
from router_extproc.envoy_config.render import render
from router_extproc.testing.client import answer_json
from router_extproc.testing.stack import Stack, running_stack

Profile = Literal["split", "inline"]
PROFILES: tuple[Profile, ...] = ("split", "inline")
#: The server sends it to the large pool.
PROMPT = "maths: 2 + 2?"


def without_the_large_pool(config: Config) -> str:
    """Rendered before there was a large model."""
    small = {"small": config.models["small"]}
    return render(config.model_copy(update={"models": small}), "bootstrap")["bootstrap.yaml"]


def to_the_wrong_pool(config: Config) -> str:
    """Written by hand: the route that is named after the large pool goes to the small one."""
    text = render(config, "bootstrap")["bootstrap.yaml"]
    before, route, after = text.partition('name: "to vllm_large"')
    return before + route + after.replace("cluster: vllm_large", "cluster: vllm_small", 1)


@asynccontextmanager
async def behind(folder: Path, profile: Profile, bootstrap: object) -> AsyncIterator[Stack]:
    async with running_stack(folder, bootstrap=bootstrap, envoy={"profile": profile}) as stack:  # type: ignore[arg-type] # one of the two above
        stack.small.answer.pieces = (answer_json("Four, says the small one."),)
        yield stack


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_cluster_that_envoy_does_not_know_is_an_error_that_says_so(
    profile: Profile, tmp_path: Path
) -> None:
    """It was silently the default pool, and its answer was cached as the large model's."""
    async with behind(tmp_path, profile, without_the_large_pool) as stack:
        for _ in range(2):
            reply = await stack.chat(PROMPT)
            assert (reply.status, reply.json()["error"]["code"]) == (503, "unknown_cluster")
            assert reply.headers["content-type"] == "application/json"
        assert not stack.small.requests
        assert (await stack.chat("poetry")).headers["x-router-model"] == "small"


async def test_a_client_cannot_bring_it_about(tmp_path: Path) -> None:
    """Its own x-router-cluster is gone before any route is looked at."""
    async with behind(tmp_path, "split", without_the_large_pool) as stack:
        reply = await stack.send("GET", "/v1/files", headers={"x-router-cluster": "nobody"})
        assert (reply.status, stack.small.requests[0].path) == (200, "/v1/files")


@pytest.mark.parametrize("profile", PROFILES)
async def test_an_answer_of_another_cluster_is_not_stored(profile: Profile, tmp_path: Path) -> None:
    """The small model's answer must never be replayed as the large one's."""
    async with behind(tmp_path, profile, to_the_wrong_pool) as stack:
        for _ in range(2):
            reply = await stack.chat(PROMPT)
            await stack.quiet()
            assert reply.headers["x-router-cache"] == "miss"
            assert b"small one" in reply.body
        answers = [event for event in stack.worker.events() if event["event"] == "answer headers"]
        assert {event["cluster"] for event in answers} == {"vllm_small"}
        if profile == "inline":
            assert "x-router-model" not in reply.headers


@pytest.mark.parametrize("profile", PROFILES)
async def test_the_observer_is_told_which_cluster_answered(profile: Profile, tmp_path: Path) -> None:
    async with running_stack(tmp_path, envoy={"profile": profile}) as stack:
        stack.large.answer.pieces = (answer_json("Four."),)
        await stack.chat(PROMPT)
        await stack.quiet()
        (answer,) = [event for event in stack.worker.events() if event["event"] == "answer headers"]
        assert (answer["cluster"], answer["details"]) == ("vllm_large", "via_upstream")
        assert (await stack.chat(PROMPT)).headers["x-router-cache"] == "hit-exact"
