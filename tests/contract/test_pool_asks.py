"""The request of a shadow evaluation on its way to a pool, past Envoy."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from router_extproc.config.envoy import EnvoyCluster
from router_extproc.pipeline.evaluation.asking import ANSWER_BYTES_MAX, PoolFailed
from router_extproc.pipeline.token import EvaluationAsk
from router_extproc.process.pool_asks import PoolAsks
from router_extproc.testing.pools import PoolAnswer, RecordingPool, running_pool
from router_extproc.testing.stack import free_address

ASK = EvaluationAsk("m", "/v1/messages", (("x-api-key", "k"),), b'{"a":"\xff"}')


@pytest_asyncio.fixture
async def pool() -> AsyncIterator[RecordingPool]:
    async with running_pool("one") as pool:
        yield pool


async def test_the_pool_gets_it_byte_by_byte_and_its_answer_comes_back(pool: RecordingPool) -> None:
    pool.answer = PoolAnswer((b"{", b"}"), "application/json; charset=utf-8", status=429)
    async with PoolAsks({"c": EnvoyCluster(endpoints=(pool.address,))}).opened() as asks:
        reply = await asks.ask("c", ASK)
    assert (reply.status, reply.content_type, reply.body) == (429, "application/json; charset=utf-8", b"{}")
    (request,) = pool.requests
    assert (request.method, request.path, request.body) == ("POST", ASK.path, ASK.body)
    assert (request.headers["x-api-key"], request.headers["content-type"]) == ("k", "application/json")


async def test_the_next_endpoint_is_asked_where_one_does_not_connect(pool: RecordingPool) -> None:
    async with PoolAsks({"c": EnvoyCluster(endpoints=(free_address(), pool.address))}).opened() as asks:
        assert (await asks.ask("c", ASK)).status == 200
    assert len(pool.requests) == 1


async def test_an_endpoint_that_has_the_request_is_the_last_one(pool: RecordingPool) -> None:
    """It may have made the answer; nothing is asked twice."""
    async with (
        running_pool("dying") as dying,
        PoolAsks({"c": EnvoyCluster(endpoints=(dying.address, pool.address))}).opened() as asks,
    ):
        dying.dies = True
        with pytest.raises(PoolFailed):
            await asks.ask("c", ASK)
    assert (len(dying.requests), pool.requests) == (1, [])


async def test_a_redirect_is_not_followed_with_the_clients_key(pool: RecordingPool) -> None:
    async with running_pool("elsewhere") as other:
        pool.answer = PoolAnswer(status=307, headers={"location": f"http://{other.address}/"})
        async with PoolAsks({"c": EnvoyCluster(endpoints=(pool.address,))}).opened() as asks:
            assert (await asks.ask("c", ASK)).status == 307
        assert other.requests == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (PoolAnswer((b"x" * ANSWER_BYTES_MAX, b"x")), "too_large"),
        (PoolAnswer((b"{", b"}"), breaks_off=True), "ClientPayloadError"),
    ],
)
async def test_an_answer_without_an_end_is_none(pool: RecordingPool, answer: PoolAnswer, words: str) -> None:
    pool.answer = answer
    async with PoolAsks({"c": EnvoyCluster(endpoints=(pool.address,))}).opened() as asks:
        with pytest.raises(PoolFailed, match=words):
            await asks.ask("c", ASK)


async def test_a_header_that_is_none_is_never_sent_nor_told(pool: RecordingPool) -> None:
    ask = EvaluationAsk("m", "/", (("x-api-key", "secret\r\nx: y"),), b"{}")
    async with PoolAsks({"c": EnvoyCluster(endpoints=(pool.address,))}).opened() as asks:
        with pytest.raises(PoolFailed) as failed:
            await asks.ask("c", ask)
    assert pool.requests == []
    assert "secret" not in str(failed.value)


async def test_a_pool_that_is_nowhere_or_does_not_connect_has_failed() -> None:
    async with PoolAsks({"c": EnvoyCluster(endpoints=(free_address(),))}).opened() as asks:
        for cluster in ("c", "other"):
            with pytest.raises(PoolFailed):
                await asks.ask(cluster, ASK)


async def test_a_pools_certificate_must_come_from_its_authority(tmp_path: Path) -> None:
    ours, theirs = trustme.CA(), trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.issue_cert("127.0.0.1").configure_cert(context)
    for name, authority in (("ours", ours), ("theirs", theirs)):
        authority.cert_pem.write_to_path(str(tmp_path / name))
    async with running_pool("secure", tls=context) as pool:
        pools = {
            name: EnvoyCluster(endpoints=(pool.address,), tls=True, ca_file=str(tmp_path / name))
            for name in ("ours", "theirs")
        }
        async with PoolAsks(pools).opened() as asks:
            assert (await asks.ask("ours", ASK)).status == 200
            with pytest.raises(PoolFailed):
                await asks.ask("theirs", ASK)
        assert len(pool.requests) == 1
