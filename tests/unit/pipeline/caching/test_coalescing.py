"""Equal requests that miss at the same time: one goes to the pool, the others wait for its answer."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest

from router_extproc.cache.base import Fingerprint
from router_extproc.pipeline.caching.coalescing import STREAM_WAIT_S, Coalescer, Follower, Leader
from router_extproc.protocol.driver import DeferredReply
from router_extproc.protocol.events import BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.messages import BodyReply, MoreTime
from router_extproc.protocol.modes import Role
from router_extproc.testing.client import PATH, Client, Sent, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import SEMANTIC, WAIT_S, WAITERS_MAX, fake_router


@pytest.fixture
def client() -> Client:
    return Client(fake_router(grace_s=0.0))


@pytest.fixture
def patient() -> Client:
    """Where who waits in vain would wait for an hour."""
    return Client(fake_router(wait_s=3600.0, grace_s=0.0))


async def soon(task: asyncio.Task[Sent]) -> Sent:
    """Not an hour."""
    return await asyncio.wait_for(task, 60.0)


async def begin(client: Client, count: int, body: object = None, **headers: str) -> list[asyncio.Task[Sent]]:
    """Requests that wait, each as far as it comes by itself."""
    tasks = [asyncio.create_task(client.send(body or chat(), **headers)) for _ in range(count)]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def test_those_who_wait_share_the_first_answer(client: Client) -> None:
    first = await client.send(chat())
    waiting = await begin(client, 3)
    assert not any(task.done() for task in waiting)
    client.answer(first, answer_json("Shared."))
    for task in waiting:
        sent = await task
        assert sent.cache == "hit-exact"
        assert json.loads(sent.immediate.body)["choices"][0]["message"]["content"] == "Shared."
        assert dict(sent.immediate.headers)["cache-status"].endswith("; collapsed")


@pytest.mark.parametrize(
    ("status", "body"), [(500, b"{}"), (200, answer_json(finish_reason="length")), (200, b"{")]
)
async def test_answer_that_cannot_be_shared_lets_them_go_on_at_once(
    patient: Client, status: int, body: bytes
) -> None:
    first = await patient.send(chat())
    waiting = await begin(patient, 2)
    patient.answer(first, body, status=status)
    for task in waiting:
        sent = await soon(task)
        assert (sent.cache, sent.sent_header("x-router-model")) == ("miss", "small")


async def test_they_go_on_when_the_first_client_leaves_before_the_answer(patient: Client) -> None:
    """Envoy closes the deciding stream with the exchange: without an answer there is no other sign."""
    first = await patient.send(chat())
    (waiting,) = await begin(patient, 1)
    first.driver.on_closed(clean=True)
    assert (await soon(waiting)).cache == "miss"


async def test_they_go_on_when_the_first_answer_breaks_off(patient: Client) -> None:
    first = await patient.send(chat())
    (waiting,) = await begin(patient, 1)
    patient.answer(first, b"{", end=False)
    assert (await soon(waiting)).cache == "miss"


async def test_they_go_on_when_the_time_is_up(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    first = await client.send(chat())
    client.router.clock.advance(WAIT_S - 0.001)
    (waiting,) = await begin(client, 1)
    sent = await waiting
    assert sent.forwarded.dynamic_metadata["router_extproc"]["cache_status"].endswith("; collapsed=?0")
    assert first.cache == "miss"


async def test_who_comes_after_the_time_does_not_wait(client: Client) -> None:
    await client.send(chat())
    client.router.clock.advance(WAIT_S)
    (alone,) = await begin(client, 1)
    assert alone.done()


async def test_who_waited_in_vain_is_forwarded_now_and_its_answer_is_stored(client: Client) -> None:
    first = await client.send(chat())
    (waiting,) = await begin(client, 1)
    client.router.clock.advance(2)
    client.answer(first, b"{}", status=500)
    client.answer(await waiting, answer_json())
    report = client.router.reports.answers[-1]
    assert (report.stored, report.duration_s) == ("stored", 0.0)


async def test_requests_that_wait_are_bounded(client: Client) -> None:
    await client.send(chat())
    waiting = await begin(client, WAITERS_MAX + 1)
    assert [task.done() for task in waiting].count(True) == 1
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    (again,) = await begin(client, 1)
    assert not again.done()
    again.cancel()


async def test_pending_answers_are_bounded() -> None:
    client = Client(fake_router(pending_max=1, grace_s=0.0))
    await client.send(chat("One?"))
    await client.send(chat("Two?"))
    (alone,) = await begin(client, 1, chat("Two?"))
    assert alone.done()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (chat("Another?"), {}),
        (chat(temperature=0.1), {}),
        (chat(), {"authorization": "Bearer other"}),
        (chat(), {"cache_control": "no-cache"}),
        (chat(), {"cache_control": "no-store"}),
    ],
    ids=["question", "sampling", "scope", "no-cache", "no-store"],
)
async def test_only_what_may_share_the_answer_waits(
    client: Client, body: object, headers: dict[str, str]
) -> None:
    await client.send(chat())
    (alone,) = await begin(client, 1, body, **headers)
    assert alone.done()


async def test_nobody_waits_for_an_answer_that_will_not_be_stored() -> None:
    client = Client(fake_router(cache_policy=replace(SEMANTIC, mode="off"), grace_s=0.0))
    await client.send(chat())
    (alone,) = await begin(client, 1)
    assert alone.done()


async def test_only_if_cached_does_not_wait(client: Client) -> None:
    await client.send(chat())
    (alone,) = await begin(client, 1, cache_control="only-if-cached")
    assert (await alone).immediate.status == 504


async def test_envoy_is_asked_for_the_time_and_an_answer(client: Client) -> None:
    await client.send(chat())
    client.router.clock.advance(1.5)
    driver = client.router.parts.drive(Role.DECIDE)
    pairs = Headers(((":method", "POST"), (":path", PATH), ("authorization", "Bearer test-client")))
    await driver.on_request_headers(RequestStarted(pairs, last=False))
    reply = await driver.on_request_body(BodyReceived(json.dumps(chat()).encode(), last=True))
    assert isinstance(reply, DeferredReply)
    assert reply.now == MoreTime(WAIT_S - 1.5 + 0.2)


async def test_the_first_stream_is_kept_until_its_answer_was_seen(client: Client) -> None:
    """Closed by Envoy before, it tells that the client has gone."""
    driver = client.router.parts.drive(Role.DECIDE)
    pairs = Headers(((":method", "POST"), (":path", PATH), ("authorization", "Bearer test-client")))
    await driver.on_request_headers(RequestStarted(pairs, last=False))
    reply = await driver.on_request_body(BodyReceived(json.dumps(chat()).encode(), last=True))
    assert isinstance(reply, DeferredReply)
    assert isinstance(reply.now, BodyReply)
    watching = asyncio.ensure_future(reply.then())
    await asyncio.sleep(0)
    assert not watching.done()
    client.answer(Sent(BodyReply(), reply.now, driver), answer_json())  # type: ignore[arg-type] # headers
    assert await watching is None


async def test_who_waited_is_counted_by_how_it_ended(client: Client) -> None:
    first = await client.send(chat())
    (waiting,) = await begin(client, 1)
    client.answer(first, answer_json())
    await waiting
    assert [report.waited for report in client.router.reports.decisions] == [False, True]


def test_an_answer_that_came_while_a_request_was_looking_is_looked_for_again() -> None:
    """It missed, for the answer was not there yet; to lead now would ask the pool twice."""
    clock = ManualClock()
    coalescer = Coalescer(clock, wait_s=2.0, waiters_max=8)
    key, asked_s = Fingerprint("a"), clock.monotonic_s()
    assert isinstance(coalescer.join(key, asked_s=asked_s, streamed=False), Leader)
    coalescer.finish(key)
    late = coalescer.join(key, asked_s=asked_s, streamed=False)
    assert isinstance(late, Follower)
    assert late.pending.over.is_set()
    clock.advance(1.0)
    assert isinstance(coalescer.join(key, asked_s=clock.monotonic_s(), streamed=False), Leader)


def test_answers_that_ended_are_remembered_up_to_a_bound() -> None:
    clock = ManualClock()
    coalescer = Coalescer(clock, wait_s=2.0, waiters_max=8, pending_max=2)
    keys = [Fingerprint(str(name)) for name in range(3)]
    for key in keys:
        coalescer.join(key, asked_s=0.0, streamed=False)
        coalescer.finish(key)
    assert isinstance(coalescer.join(keys[0], asked_s=0.0, streamed=False), Leader)
    assert isinstance(coalescer.join(keys[2], asked_s=0.0, streamed=False), Follower)


def follower_after(passed_s: float, *, streamed: bool) -> Follower:
    """The second of two equal requests, which comes so much later."""
    clock = ManualClock()
    coalescer = Coalescer(clock, wait_s=WAIT_S, waiters_max=8)
    coalescer.join(Fingerprint("a"), asked_s=0.0, streamed=True)
    clock.advance(passed_s)
    follower = coalescer.join(Fingerprint("a"), asked_s=clock.monotonic_s(), streamed=streamed)
    assert isinstance(follower, Follower)
    return follower


def test_who_reads_a_stream_waits_for_a_moment_only() -> None:
    """Forwarded, it has its first words long before the first answer is complete."""
    assert follower_after(1.0, streamed=True).wait_s == STREAM_WAIT_S


def test_who_wants_the_answer_in_one_piece_waits_for_a_stream_to_end() -> None:
    """It is complete sooner than one that begins now."""
    assert follower_after(1.0, streamed=False).wait_s == WAIT_S - 1.0


def test_who_reads_a_stream_waits_no_longer_than_the_others() -> None:
    left_s = STREAM_WAIT_S / 2
    assert follower_after(WAIT_S - left_s, streamed=True).wait_s == pytest.approx(left_s)


def test_a_short_wait_leaves_all_the_time_for_what_hides_a_hit() -> None:
    """A stream that was answered after the moment would otherwise show that it was a hit."""
    assert follower_after(1.0, streamed=True).left_s == WAIT_S - 1.0


async def test_who_reads_a_stream_shares_an_answer_that_is_complete_in_time(patient: Client) -> None:
    first = await patient.send(chat())
    (waiting,) = await begin(patient, 1, chat(stream=True))
    patient.answer(first, answer_json("Shared."))
    assert (await soon(waiting)).cache == "hit-exact"


async def test_who_reads_a_stream_is_forwarded_soon(patient: Client) -> None:
    await patient.send(chat(stream=True))
    (waiting,) = await begin(patient, 1, chat(stream=True))
    assert (await soon(waiting)).cache == "miss"
