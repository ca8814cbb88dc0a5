"""Who is let in: passwords, TLS and mutual TLS against real servers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from router_extproc.cache.milvus.backend import MilvusCache
from router_extproc.cache.milvus.settings import Milvus, MilvusAuth, MilvusConnection, MilvusTls
from router_extproc.testing.check_cache_backend import CHECK_DIM, made_entry
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.milvus_process import UNAVAILABLE, Security, is_available, running_milvus

CLOCK = ManualClock()
#: For what a server does on a busy machine.
LIMIT_S = 90.0
#: A refusal is tried again and again; how often is no matter here.
WRONG_S = 60.0
ROOT = MilvusAuth(enabled=True, username="root", password="Milvus")


@dataclass(frozen=True, slots=True)
class Files:
    """PEM files: of an authority, and of a key that it signed."""

    ca: Path
    cert: Path
    key: Path


@dataclass(frozen=True, slots=True)
class Servers:
    """One with TLS, one with mutual TLS and passwords; and files of us and of a stranger."""

    tls_port: int
    mutual_port: int
    ours: Files
    strangers: Files


def files(folder: Path) -> Files:
    folder.mkdir()
    authority = trustme.CA()
    pair = authority.issue_cert("localhost", "127.0.0.1")
    made = Files(folder / "ca.pem", folder / "cert.pem", folder / "key.pem")
    authority.cert_pem.write_to_path(made.ca)
    pair.cert_chain_pems[0].write_to_path(made.cert)
    pair.private_key_pem.write_to_path(made.key)
    return made


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    if not is_available():
        pytest.skip(UNAVAILABLE)
    folder = tmp_path_factory.mktemp("secure")
    ours, strangers = files(folder / "ours"), files(folder / "strangers")
    tls = Security(cert_file=ours.cert, key_file=ours.key)
    mutual = Security(passwords=True, cert_file=ours.cert, key_file=ours.key, client_ca_file=ours.ca)
    with ExitStack() as stack:
        one = stack.enter_context(running_milvus(folder / "tls", security=tls))
        other = stack.enter_context(running_milvus(folder / "mutual", security=mutual))
        yield Servers(one.port, other.port, ours, strangers)


async def let_in(port: int, tls: MilvusTls, auth: MilvusAuth | None = None) -> str:
    """Store and find an entry, or say the kind of trouble; a lookup is refused at once all the while."""
    connection = MilvusConnection(host="127.0.0.1", port=port, tls=tls, auth=auth or MilvusAuth())
    entry = made_entry("a", now_s=CLOCK.wall_s())
    async with MilvusCache(Milvus(connection=connection), dim=CHECK_DIM, clock=CLOCK) as cache:
        await cache.start(wait_s=WRONG_S)
        state = await cache.state()
        if state.counters["connects"] == 0 and "loading" not in state.detail:
            trouble = state.health and state.health.trouble
            return f"{trouble}: {state.detail or 'not yet'}"
        async with asyncio.timeout(LIMIT_S):
            while not (await cache.state()).ready:  # noqa: ASYNC110 - Milvus tells nobody
                await asyncio.sleep(0.05)
            await cache.put([entry])
            while await cache.get(entry.fingerprint) is None:  # noqa: ASYNC110 - likewise
                await asyncio.sleep(0.05)
    return "in"


def trusting(ca: Files, client: Files | None = None) -> MilvusTls:
    pair = {} if client is None else {"cert_file": str(client.cert), "key_file": str(client.key)}
    return MilvusTls(enabled=True, ca_file=str(ca.ca), **pair)


async def test_tls_with_the_right_authority_is_let_in(servers: Servers) -> None:
    assert await let_in(servers.tls_port, trusting(servers.ours)) == "in"


async def test_server_of_another_authority_is_not_trusted(servers: Servers) -> None:
    told = await let_in(servers.tls_port, trusting(servers.strangers))
    assert told.startswith("tls: ")
    assert "CERTIFICATE_VERIFY_FAILED" in told


async def test_plain_text_to_a_tls_server_is_refused(servers: Servers) -> None:
    assert "failed to connect" in await let_in(servers.tls_port, MilvusTls())


async def test_mutual_tls_and_a_password_are_let_in(servers: Servers) -> None:
    assert await let_in(servers.mutual_port, trusting(servers.ours, servers.ours), ROOT) == "in"


async def test_token_does_as_well(servers: Servers) -> None:
    token = MilvusAuth(enabled=True, token="root:Milvus")
    assert await let_in(servers.mutual_port, trusting(servers.ours, servers.ours), token) == "in"


async def test_certificate_of_a_stranger_is_refused(servers: Servers) -> None:
    tls = trusting(servers.ours, servers.strangers)
    assert "failed to connect" in await let_in(servers.mutual_port, tls, ROOT)


async def test_client_without_a_certificate_is_refused(servers: Servers) -> None:
    assert "failed to connect" in await let_in(servers.mutual_port, trusting(servers.ours), ROOT)


async def test_wrong_password_is_refused_and_not_shown(servers: Servers) -> None:
    wrong = MilvusAuth(enabled=True, username="root", password="not-the-password")
    said = await let_in(servers.mutual_port, trusting(servers.ours, servers.ours), wrong)
    assert "auth check failure" in said
    assert "not-the-password" not in said
