"""Milvus Lite's server hangs up on a client that pings: ours does not, whatever else it is told."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from router_extproc.cache.milvus.connect import client_options
from router_extproc.cache.milvus.endpoint import LiteProcessEndpoint
from router_extproc.testing.processes import start_process

LIMIT_S = 120.0
#: The pings of two minutes in three seconds: pymilvus asks for one after 10 s, and gRPC holds most back.
HASTE = {
    "grpc.keepalive_time_ms": 100,
    "grpc.keepalive_permit_without_calls": 1,
    "grpc.http2.max_pings_without_data": 0,
}
#: A client that is silent for a while between two calls.
CLIENT = """
import asyncio, json, sys
from pymilvus import AsyncMilvusClient

async def main():
    uri, options = sys.argv[1], json.loads(sys.argv[2])
    client = AsyncMilvusClient(uri=uri, timeout=60, dedicated=True, grpc_options=options)
    await client.list_collections()
    await asyncio.sleep(5)
    print(await client.list_collections())
    await client.close()

asyncio.run(main())
"""


@pytest.fixture(scope="module")
def lite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of a Milvus Lite in a process of its own."""
    folder = tmp_path_factory.mktemp("lite")
    places = (folder / "cache.db", folder / "lite.sock")
    command = [sys.executable, "-m", "router_extproc.process.milvus_lite_server", *places, "info", "json"]
    with start_process(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        assert b"milvus lite serves" in process.stderr.readline()
        yield f"unix:{folder / 'lite.sock'}"
        process.kill()


@pytest.fixture(scope="module")
def said(lite: str) -> Mapping[str, str]:
    """What gRPC writes while a hasty client, with and without our options, asks, is silent and asks again."""
    ours: Mapping[str, int] = client_options(
        LiteProcessEndpoint(Path(lite.removeprefix("unix:"))), lite, timeout_s=1.0
    )["grpc_options"]
    with ThreadPoolExecutor(2) as clients:
        plain = clients.submit(_ask_twice, lite, HASTE)
        quiet = clients.submit(_ask_twice, lite, {**HASTE, **ours})
        return {"plain": plain.result(), "ours": quiet.result()}


def _ask_twice(uri: str, options: Mapping[str, int]) -> str:
    command = [sys.executable, "-c", CLIENT, uri, json.dumps(options)]
    env = {**os.environ, "GRPC_VERBOSITY": "ERROR"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=True, env=env)  # noqa: S603 - our own script
    assert done.stdout == "[]\n"
    return done.stderr


def test_a_client_that_pings_is_hung_up_on(said: Mapping[str, str]) -> None:
    """The reason; and the test below would notice."""
    assert "too_many_pings" in said["plain"]


def test_a_client_with_our_options_is_not(said: Mapping[str, str]) -> None:
    assert "too_many_pings" not in said["ours"]
