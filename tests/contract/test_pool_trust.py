"""What the sidecar itself asks of a TLS pool goes out under the trust that was written, or not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from router_extproc.clock import SystemClock
from router_extproc.config.model import Config
from router_extproc.pipeline.evaluation.asking import PoolFailed
from router_extproc.pipeline.token import EvaluationAsk
from router_extproc.process.model_lists import ModelLists
from router_extproc.process.pool_asks import PoolAsks
from router_extproc.process.pool_probe import PoolProbe
from router_extproc.routing.catalogue import Target
from router_extproc.routing.pool_models import PoolModels
from router_extproc.routing.traffic import Traffic
from router_extproc.testing.until import until

ASK = EvaluationAsk("m", "/v1/messages", (), b"{}")


@dataclass(slots=True)
class Port:
    """Counts who connects, and hangs up."""

    address: str = ""
    connections: list[str] = field(default_factory=list)

    def accept(self, _reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections.append("one")
        writer.close()


@pytest_asyncio.fixture
async def port() -> AsyncIterator[Port]:
    port = Port()
    async with await asyncio.start_server(port.accept, "127.0.0.1", 0) as server:
        port.address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield port


def config(port: Port, ca_file: Path) -> Config:
    pool = {"endpoints": [port.address], "tls": True, "ca_file": str(ca_file)}
    return Config.model_validate(
        {
            "version": 1,
            "default_model": "small",
            "models": {"small": {"cluster": "c"}},
            "envoy": {"clusters": {"c": pool}},
        }
    )


async def evaluate(config: Config, done: Callable[[], Awaitable[None]]) -> None:
    async with PoolAsks(config.envoy.clusters).opened() as asks:
        with pytest.raises(PoolFailed, match=r"ca_file .*/authorities\.pem"):
            await asks.ask("c", ASK)
    await done()


async def probe(config: Config, done: Callable[[], Awaitable[None]]) -> None:
    traffic = Traffic(SystemClock(), {"small": Target("small", "c", "small", None)}, ["small"])
    async with PoolProbe(config, traffic).running():
        await done()


async def list_models(config: Config, done: Callable[[], Awaitable[None]]) -> None:
    async with ModelLists(config, PoolModels()).running():
        await done()


Asking = Callable[[Config, Callable[[], Awaitable[None]]], Awaitable[None]]


@pytest.mark.parametrize("text", [None, "", "no certificate"])
@pytest.mark.parametrize(
    ("asking", "asks"),
    [(evaluate, "shadow evaluations"), (probe, "probes"), (list_models, "model lists")],
)
async def test_a_pool_whose_authorities_cannot_be_read_is_not_asked(
    asking: Asking, asks: str, text: str | None, port: Port, tmp_path: Path
) -> None:
    """The system's would have been trusted in their place: far more than the operator wrote."""
    ca_file = tmp_path / "authorities.pem"
    if text is not None:
        ca_file.write_text(text)

    async def done() -> None:
        await asyncio.to_thread(until, lambda: bool(lines or port.connections), within_s=10)

    with capture_logs() as lines:
        await asking(config(port, ca_file), done)
    assert port.connections == []
    assert [(line["event"], line["asks"], line["ca_file"]) for line in lines] == [
        ("pool not asked", asks, str(ca_file))
    ]
