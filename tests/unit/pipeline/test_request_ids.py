"""Which ids of a request are believed."""

from __future__ import annotations

import json

import pytest

from router_extproc.pipeline.request_ids import (
    NO_IDS,
    REQUEST_ID_CHARS_MAX,
    RequestIds,
    read_request_ids,
)
from router_extproc.protocol.headers import Headers
from router_extproc.testing.client import Client, chat
from router_extproc.testing.router import fake_router

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
REQUEST_ID = "8f3b0c8e-5f0c-9d3a-a7cb-3a1c9d1b7a55"


def ids_of(**headers: str) -> tuple[str, str, str]:
    names = {"request_id": "x-request-id", "parent": "traceparent"}
    ids = read_request_ids(Headers(tuple((names[name], value) for name, value in headers.items())))
    return ids.request_id, ids.trace_id, ids.span_id


@pytest.mark.parametrize(
    "value", [REQUEST_ID, "01ARZ3NDEKTSV4RRFFQ69G5FAV", "1-67891233-abcdef012345678912345678", "a.b:c_d"]
)
def test_request_ids_of_known_gateways_are_taken(value: str) -> None:
    assert ids_of(request_id=value)[0] == value


@pytest.mark.parametrize(
    "value",
    ["", "a b", "id\x1b[31m", 'x", "level": "info', "é", "\udcff", "a/b", "x" * (REQUEST_ID_CHARS_MAX + 1)],
)
def test_other_text_in_its_place_is_left_out(value: str) -> None:
    """An Envoy may be told to keep the client's (preserve_external_request_id): it may be anything."""
    assert ids_of(request_id=value)[0] == ""


def test_a_request_id_that_comes_twice_is_left_out() -> None:
    headers = Headers((("x-request-id", "one"), ("x-request-id", "two")))
    assert read_request_ids(headers) == NO_IDS


@pytest.mark.parametrize(
    "value", [f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00", f"01-{TRACE}-{SPAN}-01-x"]
)
def test_a_trace_parent_names_trace_and_span(value: str) -> None:
    assert ids_of(parent=value)[1:] == (TRACE, SPAN)


@pytest.mark.parametrize(
    "value",
    [
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-x",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f" 00-{TRACE}-{SPAN}-01",
        f"01-{TRACE}-{SPAN}-01-{'x' * 1000}",
        f"01-{TRACE}-{SPAN}-01x",
        "sk-secret",
    ],
)
def test_what_the_standard_does_not_allow_is_no_trace_parent(value: str) -> None:
    assert ids_of(parent=value) == ("", "", "")


async def test_both_reports_of_a_request_carry_its_ids_and_times() -> None:
    """The answer may be observed by another worker: the write token carries them."""
    client = Client(fake_router())
    await client.ask(chat(), x_request_id=REQUEST_ID, traceparent=f"00-{TRACE}-{SPAN}-01")
    reports, now_s = client.router.reports, client.router.clock.wall_s()
    decided, answered = reports.decisions[0], reports.answers[0]
    assert decided.exchange.ids == answered.exchange.ids == RequestIds(REQUEST_ID, TRACE, SPAN, sampled=True)
    assert decided.started_s == answered.started_s == now_s
    assert decided.body_bytes == len(json.dumps(chat()))


async def test_a_refused_request_is_reported_with_its_ids() -> None:
    client = Client(fake_router())
    await client.send(b"{", x_request_id=REQUEST_ID)
    assert client.router.reports.decisions[0].exchange.ids.request_id == REQUEST_ID
