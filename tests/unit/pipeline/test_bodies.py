"""Large and compressed bodies: decided as any other, with the time that they take."""

from __future__ import annotations

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import replace

import pyarrow as pa
import pytest

from router_extproc.errors import (
    MalformedRequest,
    RequestTooLarge,
    StageError,
    StageTimeout,
    UnsupportedCoding,
)
from router_extproc.models.base import ResultT
from router_extproc.pipeline.bodies import LARGE_BODY_BYTES, BodyReader, read_time_s
from router_extproc.pipeline.caching.hit_timing import HitTiming
from router_extproc.pipeline.coded_bodies import coding_of, decode_body
from router_extproc.pipeline.deferred import HiddenHits, Waits
from router_extproc.pipeline.exchange import ExchangeParts
from router_extproc.protocol.driver import DeferredReply
from router_extproc.protocol.events import BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse, MoreTime
from router_extproc.protocol.modes import Role
from router_extproc.testing.client import PATH, Client, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import fake_router

MIB = 1024 * 1024
UNREAD = (("x-router-cluster", "(undecided)"),)
ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "GZip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": lambda body: bytes(pa.compress(body, codec="zstd", asbytes=True)),
    "br": lambda body: bytes(pa.compress(body, codec="brotli", asbytes=True)),
}


def raw_deflate(body: bytes) -> bytes:
    packed = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packed.compress(body) + packed.flush()


# ── codings ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("coding", ENCODERS)
@pytest.mark.parametrize("size", [1, 100, MIB])
def test_a_coded_body_becomes_what_it_was(coding: str, size: int) -> None:
    body = (b"river " * size)[:size]
    assert decode_body(ENCODERS[coding](body), coding_of(coding), max_bytes=size) == body


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br"])
def test_a_bomb_is_refused_as_soon_as_it_is_over_the_limit(coding: str) -> None:
    bomb = ENCODERS[coding](bytes(64 * MIB))
    assert len(bomb) < MIB
    with pytest.raises(RequestTooLarge):
        decode_body(bomb, coding, max_bytes=MIB)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd", "br"])
def test_what_is_cut_off_or_something_else_is_malformed(coding: str) -> None:
    coded = ENCODERS[coding](b"river " * 100)
    for body in (coded[:-3], coded[:5], b"", b"{}", b"\x00" * 50):
        with pytest.raises(MalformedRequest):
            decode_body(body, coding, max_bytes=MIB)


def test_deflate_without_its_header_and_gzip_of_several_members_are_read() -> None:
    assert decode_body(raw_deflate(b"river"), "deflate", max_bytes=9) == b"river"
    assert decode_body(gzip.compress(b"ri") + gzip.compress(b"ver"), "gzip", max_bytes=9) == b"river"
    with pytest.raises(RequestTooLarge):
        decode_body(gzip.compress(b"ri") + gzip.compress(b"ver"), "gzip", max_bytes=4)


@pytest.mark.parametrize(
    ("header", "coding"), [("", ""), ("identity", ""), ("identity, gzip", "gzip"), (" BR ", "br")]
)
def test_a_coding_is_read_in_any_spelling(header: str, coding: str) -> None:
    assert coding_of(header) == coding


@pytest.mark.parametrize("header", ["compress", "gzip, zstd", "gzip;q=1"])
def test_other_codings_are_refused(header: str) -> None:
    with pytest.raises(UnsupportedCoding):
        coding_of(header)


@pytest.mark.parametrize("coding", ENCODERS)
async def test_a_compressed_request_reaches_the_pool_without_its_coding(coding: str) -> None:
    """A vLLM does not read compressed bodies."""
    client = Client(fake_router())
    body = json.dumps(chat(model="tiny-small")).encode()
    sent = await client.send(ENCODERS[coding](body), content_encoding=coding)
    assert sent.forwarded.body == body
    assert "content-encoding" in sent.forwarded.mutation.remove
    assert sent.sent_header("x-router-model") == "small"


@pytest.mark.parametrize("name", ["large", "tiny-large"])
async def test_a_compressed_request_of_an_api_that_is_only_routed_reaches_the_pool_plain(name: str) -> None:
    body = json.dumps({"model": name, "input": "river"}).encode()
    sent = await Client(fake_router()).send(
        gzip.compress(body), path="/rerank", content_encoding="gzip", content_type="application/json"
    )
    assert sent.forwarded.body == body.replace(b'"large"', b'"tiny-large"')
    assert "content-encoding" in sent.forwarded.mutation.remove
    assert sent.sent_header("x-router-model") == "large"


async def test_such_a_request_that_is_not_what_its_coding_says_gets_the_apis_error() -> None:
    sent = await Client(fake_router()).send(b"river", path="/rerank", content_encoding="gzip")
    assert sent.immediate.status == 400


async def test_a_compressed_request_shares_the_cache_with_the_plain_one() -> None:
    client = Client(fake_router())
    await client.ask(chat())
    sent = await client.send(gzip.compress(json.dumps(chat()).encode()), content_encoding="gzip")
    assert sent.immediate.status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"river", 400), (gzip.compress(b"river"), 400), (gzip.compress(bytes(17 * MIB)), 413)],
    # The bytes name the time at which they were compressed.
    ids=["not gzip", "not JSON", "too large"],
)
async def test_a_compressed_body_that_cannot_be_read_gets_the_apis_error(body: bytes, status: int) -> None:
    response = (await Client(fake_router()).send(body, content_encoding="gzip")).immediate
    assert (response.status, list(json.loads(response.body))) == (status, ["error"])


# ── time ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("size", "time_s"),
    [(0, 0), (LARGE_BODY_BYTES, 0), (LARGE_BODY_BYTES + 1, 0.5), (16 * MIB, 8), (16 * MIB + 1, 8.5)],
)
def test_time_grows_with_the_body(size: int, time_s: float) -> None:
    assert read_time_s(size) == time_s


def large(prompt: str = "Why?", **members: object) -> bytes:
    return json.dumps(chat(prompt, padding="x" * LARGE_BODY_BYTES, **members)).encode()


async def reply_to(parts: ExchangeParts, body: bytes, **headers: str) -> object:
    driver = parts.drive(Role.DECIDE)
    pairs = ((":method", "POST"), (":path", PATH), ("authorization", "Bearer a"), *headers.items())
    await driver.on_request_headers(RequestStarted(Headers(pairs), last=False))
    return await driver.on_request_body(BodyReceived(body, last=True))


async def test_envoy_is_asked_for_time_while_a_large_body_is_on_its_way_and_told_no_pool() -> None:
    """It sends the body behind this reply; a sidecar that is busy may be late before it has the body."""
    driver = fake_router().parts.drive(Role.DECIDE)
    for size, asked_s, told in ((LARGE_BODY_BYTES, 0.0, ()), (LARGE_BODY_BYTES + 1, 2.7, UNREAD)):
        pairs = ((":method", "POST"), (":path", PATH), ("content-length", str(size)))
        reply = await driver.on_request_headers(RequestStarted(Headers(pairs), last=False))
        assert isinstance(reply, HeadersReply)
        assert (reply.body_time_s, reply.mutation.overwrite) == (asked_s, told)


async def test_envoy_is_asked_for_time_before_a_large_body_is_read() -> None:
    """In its usual time it would send the request on by another decision, here to another model."""
    reply = await reply_to(fake_router().parts, large(model="large"))
    assert isinstance(reply, DeferredReply)
    assert reply.now == MoreTime(0.5 + 0.2 + 2.0)
    forwarded = await reply.then()
    assert isinstance(forwarded, BodyReply)
    assert dict(forwarded.mutation.overwrite)["x-router-model"] == "large"


class Executor:
    """Keeps count of the jobs, and lets time pass with each. Fits models.base.Inference."""

    def __init__(self, clock: ManualClock, *, fails: StageError | None = None) -> None:
        self.clock = clock
        self.fails = fails
        self.timeouts: list[float] = []

    async def run(self, job: Callable[[], ResultT], *, timeout_s: float) -> ResultT:
        """See models.base.Inference."""
        self.timeouts.append(timeout_s)
        if self.fails is not None:
            raise self.fails
        self.clock.advance(5)
        return job()


def parts_with(executor: Executor) -> ExchangeParts:
    router = fake_router(clock=executor.clock)
    pipeline = replace(router.parts.pipeline, bodies=BodyReader(executor, 16 * MIB))
    return replace(router.parts, pipeline=pipeline)


async def test_a_large_body_is_read_in_the_executor_and_costs_the_stages_nothing() -> None:
    executor = Executor(ManualClock())
    parts = parts_with(executor)
    reply = await reply_to(parts, large())
    assert isinstance(reply, DeferredReply)
    forwarded = await reply.then()
    assert isinstance(forwarded, BodyReply)
    assert executor.timeouts == [0.5]


async def test_a_small_body_is_read_at_once() -> None:
    executor = Executor(ManualClock())
    await reply_to(parts_with(executor), json.dumps(chat()).encode())
    assert executor.timeouts == []


@pytest.mark.parametrize("error", [StageTimeout("inference"), StageError("inference", "too many jobs wait")])
async def test_a_large_body_that_is_not_read_in_time_is_refused_and_goes_to_no_other_model(
    error: StageError,
) -> None:
    executor = Executor(ManualClock(), fails=error)
    reply = await reply_to(parts_with(executor), large(model="large"))
    assert isinstance(reply, DeferredReply)
    refused = await reply.then()
    assert isinstance(refused, ImmediateResponse)
    assert (refused.status, dict(refused.headers)["retry-after"]) == (503, "1")


async def test_a_body_over_the_limit_is_refused_wherever_it_came_from() -> None:
    """`explain` and `compare` have no Envoy in front of them."""
    clock = ManualClock()
    pipeline = parts_with(Executor(clock)).pipeline
    bodies = replace(pipeline.bodies, max_body_bytes=9)
    client = fake_router(clock=clock)
    parts = replace(client.parts, pipeline=replace(pipeline, bodies=bodies))
    refused = await reply_to(parts, json.dumps(chat()).encode())
    assert isinstance(refused, ImmediateResponse)
    assert refused.status == 413


async def test_a_hidden_hit_of_a_large_body_is_delayed_behind_its_reading() -> None:
    waited: list[float] = []

    async def pause(delay_s: float) -> None:
        waited.append(delay_s)
        await asyncio.sleep(0)

    timing = HitTiming(max_s=3.0, chance=lambda: 0.0)
    hidden = HiddenHits(timing, Waits(ManualClock(), 0.2, pause))
    parts = replace(fake_router().parts, hidden=hidden)
    reply = await reply_to(parts, large())
    assert isinstance(reply, DeferredReply)
    assert reply.now == MoreTime(0.5 + 3.0 + 0.2)
    assert isinstance(await reply.then(), BodyReply)
    assert waited == [0.0]
