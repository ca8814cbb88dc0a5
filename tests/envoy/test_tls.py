"""TLS at each of Envoy's sides: clients, pools, and the gRPC server."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import trustme

from router_extproc.config.envoy import EnvoyCluster
from router_extproc.errors import ConfigError
from router_extproc.server.credentials import ServerTls, credentials_of
from router_extproc.testing.pools import running_pool
from router_extproc.testing.stack import Stack, config_for, envoy_of, free_address, running_stack

CHAT = {"model": "auto", "messages": [{"role": "user", "content": "maths"}]}


@dataclass(frozen=True, slots=True)
class Authority:
    """One authority that writes certificates into a folder."""

    folder: Path
    ca: trustme.CA

    @property
    def file(self) -> str:
        return self._write("ca", self.ca.cert_pem)

    def pair(self, name: str, *hosts: str) -> dict[str, str]:
        """Files of a certificate for these hosts."""
        leaf = self.ca.issue_cert(*hosts)
        chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
        return {
            "cert_file": self._write(f"{name}-cert", chain),
            "key_file": self._write(f"{name}-key", leaf.private_key_pem),
        }

    def server_context(self, *hosts: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(*hosts).configure_cert(context)
        return context

    def client_context(self, pair: dict[str, str] | None = None) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.file)
        if pair is not None:
            context.load_cert_chain(pair["cert_file"], pair["key_file"])
        return context

    def _write(self, name: str, pem: Any) -> str:  # trustme.Blob, or bytes
        file = self.folder / f"{name}.pem"
        file.write_bytes(pem if isinstance(pem, bytes) else pem.bytes())
        return str(file)


def authority(folder: Path, name: str) -> Authority:
    place = folder / name
    place.mkdir()
    return Authority(place, trustme.CA())


@pytest.fixture
def ours(tmp_path: Path) -> Authority:
    return authority(tmp_path, "ours")


@pytest.fixture
def theirs(tmp_path: Path) -> Authority:
    """Somebody else's authority."""
    return authority(tmp_path, "theirs")


# ── clients ───────────────────────────────────────────────────────────────────────────────────


async def ask(stack: Stack, context: ssl.SSLContext | None, scheme: str = "https") -> int:
    """The status of a chat completion over TLS; 0: no connection."""
    url = f"{scheme}://{stack.envoy.listen}/v1/chat/completions"
    try:
        async with stack.session.post(url, json=CHAT, ssl=context or True) as response:
            await response.read()
            return response.status
    except (aiohttp.ClientError, ConnectionError):
        return 0


async def test_clients_are_served_over_tls_and_only_over_tls(tmp_path: Path, ours: Authority) -> None:
    async with running_stack(tmp_path, envoy={"tls": ours.pair("envoy", "127.0.0.1")}) as stack:
        assert await ask(stack, ours.client_context()) == 200
        assert len(stack.large.requests) == 1
        assert await ask(stack, None, scheme="http") == 0


async def test_clients_need_a_certificate_where_an_authority_is_named(
    tmp_path: Path, ours: Authority, theirs: Authority
) -> None:
    tls = {**ours.pair("envoy", "127.0.0.1"), "client_ca_file": ours.file}
    async with running_stack(tmp_path, envoy={"tls": tls}) as stack:
        assert await ask(stack, ours.client_context(ours.pair("client", "client.test"))) == 200
        assert await ask(stack, ours.client_context()) == 0
        assert await ask(stack, ours.client_context(theirs.pair("client", "client.test"))) == 0
        assert len(stack.large.requests) == 1


# ── pools ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("called", "certified", "trusted", "status"),
    [
        ("localhost", "localhost", True, 200),
        ("localhost", "localhost", False, 503),
        ("localhost", "other.test", True, 503),
        ("127.0.0.1", "127.0.0.1", True, 200),
        ("127.0.0.1", "127.0.0.2", True, 503),
        ("127.0.0.1", "localhost", True, 503),
    ],
)
async def test_a_pools_certificate_must_come_from_its_authority_and_be_for_its_name(
    tmp_path: Path,
    ours: Authority,
    theirs: Authority,
    called: str,
    certified: str,
    *,
    trusted: bool,
    status: int,
) -> None:
    async with running_pool("tls", tls=ours.server_context(certified)) as pool:
        ca_file = (ours if trusted else theirs).file
        endpoint = f"{called}:{pool.address.rpartition(':')[2]}"
        cluster = {"endpoints": [endpoint], "tls": True, "ca_file": ca_file}
        config = config_for(pool.address, pool.address, tmp_path)
        envoy = config.envoy.model_copy(
            update={"clusters": dict.fromkeys(config.envoy.clusters, EnvoyCluster.model_validate(cluster))}
        )
        opening = envoy_of(config.model_copy(update={"envoy": envoy}), tmp_path)
        with ExitStack() as stack:
            # In a thread: the pool in this loop must answer Envoy's first health check.
            running = await asyncio.to_thread(stack.enter_context, opening)
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"{running.url}/v1/chat/completions", json=CHAT) as response,
            ):
                assert response.status == status
                answer = await response.json()
        assert len(pool.requests) == (1 if status == 200 else 0)
    assert status == 200 or answer["error"]["code"] == "pool_unavailable"


# ── the gRPC server ───────────────────────────────────────────────────────────────────────────


@asynccontextmanager
async def over_tls(
    folder: Path, server: dict[str, str], client: dict[str, str], **envoy: Any
) -> AsyncIterator[Stack]:
    """A stack whose server listens on TCP with TLS."""
    async with running_stack(
        folder,
        joined=False,
        listen=free_address(),
        listen_tls=server,
        envoy={"server_tls": client, **envoy},
    ) as stack:
        yield stack


async def test_envoy_and_server_know_each_other_by_certificate(tmp_path: Path, ours: Authority) -> None:
    server = {**ours.pair("server", "127.0.0.1"), "client_ca_file": ours.file}
    client = {**ours.pair("envoy", "envoy.test"), "ca_file": ours.file}
    async with over_tls(tmp_path, server, client) as stack:
        await stack.joined()
        assert (await stack.chat("maths")).headers["x-router-model"] == "large"


@pytest.mark.parametrize(
    ("wrong", "unread"),
    [
        ("envoy's authority", "deny"),
        ("server's authority", "pass"),
        ("server's name", "deny"),
        ("plain", "pass"),
    ],
)
async def test_a_wrong_certificate_at_either_end_lets_nothing_be_decided(
    tmp_path: Path, ours: Authority, theirs: Authority, wrong: str, unread: str
) -> None:
    """Neither does a prompt reach a server that is not ours, nor a stranger our server."""
    of_server = theirs if wrong == "server's authority" else ours
    host = "other.test" if wrong == "server's name" else "127.0.0.1"
    of_envoy = theirs if wrong == "envoy's authority" else ours
    server = {**of_server.pair("server", host), "client_ca_file": ours.file}
    client = {**of_envoy.pair("envoy", "envoy.test"), "ca_file": ours.file}
    plain = {"server_tls": None} if wrong == "plain" else {}
    async with over_tls(tmp_path, server, client, unread=unread, **plain) as stack:
        await stack.until(lambda: _accepts(stack))
        # As long as a health check takes to find a server that is well.
        await asyncio.sleep(1.5)
        reply = await stack.chat("maths")
        assert stack.healthy() == 0
        assert not stack.worker.events()
    assert "x-router-model" not in reply.headers
    assert reply.status == (200 if unread == "pass" else 503)
    assert len(stack.small.requests) == (1 if unread == "pass" else 0)


def _accepts(stack: Stack) -> bool:
    """The server is there: Envoy has tried it, and was refused or refused it."""
    counters = stack.envoy.counters("cluster.router_extproc.")
    tried = ("ssl.connection_error", "ssl.fail_verify_san", "ssl.fail_verify_error", "health_check.failure")
    return any(counters.get(f"cluster.router_extproc.{name}", 0) for name in tried)


def test_a_certificate_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    gone = tmp_path / "gone.pem"
    with pytest.raises(ConfigError, match=r"listen_tls\.key_file: cannot read .*gone\.pem: No such file"):
        credentials_of(ServerTls(gone, gone))
