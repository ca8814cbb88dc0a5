"""`Process` over a real socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import pytest
import structlog
from envoy_data_plane.envoy.config.core.v3 import HeaderMap, HeaderValue
from envoy_data_plane.envoy.service.ext_proc import v3 as envoy
from grpc_health.v1 import health_pb2, health_pb2_grpc

from router_extproc.errors import ConfigError
from router_extproc.protocol.events import RequestStarted
from router_extproc.protocol.messages import BodyReply, HeadersReply, ImmediateResponse
from router_extproc.protocol.modes import Role
from router_extproc.server.base import Outcome
from router_extproc.server.serve import ServerSettings, bind, options_of, running
from router_extproc.server.servicer import SERVICE, StreamLimits
from router_extproc.testing.recording_driver import RecordingDriver

#: `open_wire(drivers, max_body_bytes=…, max_exchanges=…, drain_s=…)`: see conftest.py.
OpenWire = Callable[..., AbstractAsyncContextManager[Any]]  # Any: conftest.py cannot be imported
PATIENCE_S = 20.0
REQUEST = envoy.ProcessingRequest(
    request_headers=envoy.HttpHeaders(headers=HeaderMap(headers=[HeaderValue(key=":path", raw_value=b"/")]))
)
BODY = envoy.ProcessingRequest(request_body=envoy.HttpBody(body=b"{}", end_of_stream=True))
ANSWER_HEADERS = envoy.HttpHeaders(headers=HeaderMap(headers=[HeaderValue(key=":status", raw_value=b"200")]))
ANSWER = envoy.ProcessingRequest(response_headers=ANSWER_HEADERS)
SEEN_ANSWER = envoy.ProcessingRequest(response_headers=ANSWER_HEADERS, observability_mode=True)
SEEN_END = envoy.ProcessingRequest(
    response_body=envoy.HttpBody(body=b"a", end_of_stream=True), observability_mode=True
)
GO_ON = envoy.HeadersResponse(response=envoy.CommonResponse())


class Silent:
    """Counts nothing."""

    def opened(self, role: Role) -> None: ...

    def closed(self, role: Role, outcome: Outcome) -> None: ...


async def test_a_request_is_decided_on_one_stream(open_wire: OpenWire) -> None:
    driver = RecordingDriver(to_body=BodyReply(body=b"new"))
    async with open_wire(driver) as wire:
        stream = wire.stream()
        to_headers, to_body = await stream.ask(REQUEST), await stream.ask(BODY)
        assert to_headers.request_headers == GO_ON
        assert to_body.request_body.response.body_mutation == envoy.BodyMutation(body=b"new")
        assert await stream.receive() is None
        assert await stream.status() == (grpc.StatusCode.OK, "")
    assert driver.roles == [Role.DECIDE]
    assert driver.closed == [True]
    assert wire.counts.outcomes == ["done"]


async def test_an_inline_stream_goes_on_with_the_answer(open_wire: OpenWire) -> None:
    async with open_wire(RecordingDriver()) as wire:
        stream = wire.stream("inline")
        await stream.ask(REQUEST)
        await stream.ask(BODY)
        answered = await stream.ask(ANSWER)
        assert answered.response_headers == GO_ON


async def test_an_observer_never_writes(open_wire: OpenWire) -> None:
    """In observability mode Envoy counts every reply as a spurious message."""
    driver = RecordingDriver()
    async with open_wire(driver) as wire:
        stream = wire.stream("observe")
        await stream.send(SEEN_ANSWER)
        await stream.send(SEEN_END)
        assert await stream.receive() is None
        assert await stream.status() == (grpc.StatusCode.OK, "")
    assert len(driver.events) == 2


async def test_an_immediate_response_ends_the_stream(open_wire: OpenWire) -> None:
    driver = RecordingDriver(to_headers=ImmediateResponse(429, body=b"slow down"))
    async with open_wire(driver) as wire:
        stream = wire.stream()
        reply = await stream.ask(REQUEST)
        assert reply.immediate_response.body == b"slow down"
        assert await stream.receive() is None
    assert driver.closed == [True]


async def test_a_stream_that_envoy_closes_early_is_not_clean(open_wire: OpenWire) -> None:
    driver = RecordingDriver()
    async with open_wire(driver) as wire:
        stream = wire.stream("inline")
        await stream.ask(REQUEST)
        await stream.done_writing()
        assert await stream.receive() is None
        assert await stream.status() == (grpc.StatusCode.OK, "")
    assert driver.closed == [False]
    assert wire.counts.outcomes == ["cancelled"]


async def test_a_stream_that_envoy_resets_is_not_clean(open_wire: OpenWire) -> None:
    """The client went away: whatever was observed is not complete."""
    driver = RecordingDriver()
    async with open_wire(driver) as wire:
        stream = wire.stream()
        await stream.ask(REQUEST)
        stream.cancel()
        await asyncio.wait_for(wire.counts.ended.wait(), PATIENCE_S)
    assert driver.closed == [False]
    assert wire.counts.outcomes == ["cancelled"]


# ── whose fault it was ──


@pytest.mark.parametrize("role", [None, "", "spectator"])
async def test_a_stream_without_a_role_is_refused(open_wire: OpenWire, role: str | None) -> None:
    async with open_wire(RecordingDriver()) as wire:
        stream = wire.stream(role)
        assert await stream.receive() is None
        code, details = await stream.status()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "x-router-role" in details


@pytest.mark.parametrize("message", [b"\xff\xff", b"", BODY, SEEN_ANSWER])
async def test_a_broken_contract_is_envoys_fault(
    open_wire: OpenWire, message: envoy.ProcessingRequest | bytes
) -> None:
    driver = RecordingDriver()
    async with open_wire(driver) as wire:
        stream = wire.stream()
        assert await stream.ask(message) is None
        code, _ = await stream.status()
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert wire.counts.outcomes == ["remote_error"]
    assert driver.closed == [False]


async def test_a_broken_driver_is_our_fault_and_tells_nothing(open_wire: OpenWire) -> None:
    """The stream fails, so Envoy fails open; the text may hold what the client wrote."""
    driver = RecordingDriver(error=KeyError("what the client wrote"))
    with structlog.testing.capture_logs() as logs:
        async with open_wire(driver) as wire:
            stream = wire.stream()
            assert await stream.ask(REQUEST) is None
            assert await stream.status() == (grpc.StatusCode.INTERNAL, "internal error")
    assert wire.counts.outcomes == ["local_error"]
    assert driver.closed == [False]
    assert logs[0]["error"] == "KeyError"
    assert "what the client wrote" not in str(logs)


async def test_a_reply_that_breaks_the_contract_says_which_rule(open_wire: OpenWire) -> None:
    driver = RecordingDriver(to_answer=HeadersReply(), to_headers=HeadersReply(), to_body=BodyReply(body=b""))
    with structlog.testing.capture_logs() as logs:
        async with open_wire(driver, max_body_bytes=1) as wire:
            stream = wire.stream("inline")
            await stream.ask(REQUEST)
            assert await stream.ask(BODY) is None
    assert logs[0]["reason"] == "a body over the limit must be refused"


# ── bounds ──


async def test_requests_beyond_the_bound_are_let_through(open_wire: OpenWire) -> None:
    driver = RecordingDriver()
    async with open_wire(driver, max_exchanges=1) as wire:
        first = wire.stream()
        await first.ask(REQUEST)
        second = wire.stream()
        reply = await second.ask(REQUEST)
        assert reply.request_headers == GO_ON
        assert await second.receive() is None
        assert (await first.ask(BODY)).request_body is not None
    assert wire.counts.outcomes == ["let_through", "done"]
    assert len([event for event in driver.events if isinstance(event, RequestStarted)]) == 1


async def test_an_exchange_that_is_over_makes_room_for_another(open_wire: OpenWire) -> None:
    driver = RecordingDriver(to_headers=ImmediateResponse(200))
    async with open_wire(driver, max_exchanges=1) as wire:
        for _ in range(3):
            stream = wire.stream()
            await stream.ask(REQUEST)
            await stream.status()
    assert wire.counts.outcomes == ["done"] * 3


async def test_an_answer_without_a_request_is_let_through_too(open_wire: OpenWire) -> None:
    async with open_wire(RecordingDriver(), max_exchanges=0) as wire:
        stream = wire.stream("inline")
        assert (await stream.ask(ANSWER)).response_headers == GO_ON


async def test_observers_beyond_the_bound_see_nothing(open_wire: OpenWire) -> None:
    driver = RecordingDriver()
    async with open_wire(driver, max_exchanges=0) as wire:
        stream = wire.stream("observe")
        assert await stream.ask(SEEN_ANSWER) is None
        assert await stream.status() == (grpc.StatusCode.OK, "")
    assert driver.events == []


async def test_an_empty_stream_beyond_the_bound_is_fine(open_wire: OpenWire) -> None:
    async with open_wire(RecordingDriver(), max_exchanges=0) as wire:
        stream = wire.stream()
        await stream.done_writing()
        assert await stream.status() == (grpc.StatusCode.OK, "")


async def test_a_body_over_grpcs_own_default_limit_arrives(open_wire: OpenWire) -> None:
    """Python's gRPC refuses messages over 4 MiB unless told otherwise; then Envoy would hang."""
    size = 6 * 1024 * 1024
    large = envoy.ProcessingRequest(request_body=envoy.HttpBody(body=b"x" * size, end_of_stream=True))
    async with open_wire(RecordingDriver(), max_body_bytes=size) as wire:
        stream = wire.stream()
        await stream.ask(REQUEST)
        assert (await stream.ask(large)).request_body is not None


async def test_a_message_far_over_the_limit_is_refused_by_grpc(open_wire: OpenWire) -> None:
    huge = envoy.ProcessingRequest(request_body=envoy.HttpBody(body=b"x" * 3 * 1024 * 1024))
    async with open_wire(RecordingDriver(), max_body_bytes=1000) as wire:
        stream = wire.stream()
        await stream.ask(REQUEST)
        assert await stream.ask(huge) is None
        code, _ = await stream.status()
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_large_immediate_response_is_sent(open_wire: OpenWire) -> None:
    body = b"x" * 6 * 1024 * 1024
    async with open_wire(RecordingDriver(to_headers=ImmediateResponse(200, body=body))) as wire:
        reply = await wire.stream().ask(REQUEST)
        assert reply.immediate_response.body == body


# ── health and drain ──


@pytest.mark.parametrize("service", ["", SERVICE])
async def test_a_running_server_is_serving(open_wire: OpenWire, service: str) -> None:
    async with open_wire(RecordingDriver()) as wire:
        health = health_pb2_grpc.HealthStub(wire.channel)
        reply = await health.Check(health_pb2.HealthCheckRequest(service=service))
    assert reply.status == health_pb2.HealthCheckResponse.SERVING


async def test_a_draining_server_says_so_and_finishes_its_streams(open_wire: OpenWire) -> None:
    driver = RecordingDriver()
    async with open_wire(driver, drain_s=20) as wire:
        health = health_pb2_grpc.HealthStub(wire.channel).Watch(health_pb2.HealthCheckRequest())
        stream = wire.stream()
        await stream.ask(REQUEST)
        seen = [(await health.read()).status]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(wire.drain())
            seen.append((await health.read()).status)
            health.cancel()
            assert (await stream.ask(BODY)).request_body is not None
    assert seen == [health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING]
    assert driver.closed == [True]


async def test_a_second_stop_cuts_the_streams_that_the_first_one_waits_for(open_wire: OpenWire) -> None:
    at_once = asyncio.Event()
    async with asyncio.timeout(20), open_wire(RecordingDriver(), drain_s=1000, at_once=at_once) as wire:
        await wire.stream().ask(REQUEST)
        async with asyncio.TaskGroup() as tasks:
            draining = tasks.create_task(wire.drain())
            await asyncio.sleep(0.05)
            assert not draining.done()
            at_once.set()


# ── TCP ──


async def test_a_tcp_server_tells_the_port_it_was_given() -> None:
    settings = ServerSettings("127.0.0.1:0", StreamLimits(max_body_bytes=1000, max_exchanges=1), drain_s=0)
    async with running(settings, RecordingDriver(), Silent()) as address:
        host, port = address.split(":")
        assert host == "127.0.0.1"
        assert int(port) > 0
        with pytest.raises(ConfigError, match=f"port {port} on 127.0.0.1 is in use"):
            async with running(replace(settings, listen=address), RecordingDriver(), Silent()):
                pass


async def test_a_port_that_was_taken_since_the_probe_is_refused() -> None:
    """With SO_REUSEPORT, gRPC's default, the second server would get half of the streams."""
    first, second = (grpc.aio.server(options=options_of(1000)) for _ in range(2))
    address = bind(first, "127.0.0.1:0")
    await first.start()
    with pytest.raises(ConfigError, match="cannot listen on"):
        bind(second, address)
    await first.stop(0)


async def test_a_second_server_on_one_socket_is_refused(tmp_path: Path) -> None:
    """Two servers on one address would share its streams by chance."""
    limits = StreamLimits(max_body_bytes=1000, max_exchanges=1)
    settings = ServerSettings(f"unix:{tmp_path}/0.sock", limits, drain_s=0)
    async with running(settings, RecordingDriver(), Silent()):
        with pytest.raises(ConfigError, match="is used by a running server"):
            async with running(settings, RecordingDriver(), Silent()):
                pass
