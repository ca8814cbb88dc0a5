"""Both reports of an exchange, as every listener gets them, with all that a trace needs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.pipeline.decision import Forward
from router_extproc.pipeline.report import AnswerReport, DecisionReport, Listener, Listeners
from router_extproc.protocol.events import BodyReceived, RequestStarted
from router_extproc.protocol.headers import Headers
from router_extproc.protocol.modes import Role
from router_extproc.testing.client import PATH, Client, answer_json, chat
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.reports import answered, decided
from router_extproc.testing.router import Reports, fake_router

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


class Broken:
    """A listener with a bug."""

    def decided(self, _report: DecisionReport) -> None:
        raise ValueError

    def answered(self, _report: AnswerReport) -> None:
        raise KeyError


async def forward() -> Forward:
    client = Client(fake_router())
    await client.send(chat())
    decision = client.router.reports.decisions[0].decision
    assert isinstance(decision, Forward)
    return decision


async def test_every_listener_gets_every_report_and_a_broken_one_costs_only_its_own() -> None:
    first, broken, last = Reports(), Broken(), Reports()
    failures: list[tuple[Listener, type[Exception]]] = []
    listeners = Listeners(
        first, broken, last, failed=lambda listener, error: failures.append((listener, type(error)))
    )
    one, other = decided(await forward()), answered()
    listeners.decided(one)
    listeners.answered(other)
    for each in (first, last):
        assert (each.decisions, each.answers) == ([one], [other])
    assert failures == [(broken, ValueError), (broken, KeyError)]


async def test_a_broken_listener_costs_neither_the_request_nor_the_entry() -> None:
    router = fake_router()
    listener = Listeners(Broken(), failed=lambda _listener, _error: None)
    consequences = replace(router.parts.consequences, listener=listener)
    observer = replace(router.parts.observer, listener=listener)
    parts = replace(router.parts, consequences=consequences, observer=observer)
    client = Client(replace(router, parts=parts))
    assert (await client.ask(chat())).cache == "miss"
    assert (await client.send(chat())).cache == "hit-exact"


class SlowEncoder(FakeEncoder):
    """Takes a second of the clock."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def encode(self, text: str, *, tasks: bool = False) -> object:  # type: ignore[override] # passed on
        self._clock.advance(1.0)
        return super().encode(text, tasks=tasks)


async def test_the_reports_say_when_exchange_stages_and_forwarded_request_began() -> None:
    clock = ManualClock()
    client = Client(fake_router(clock=clock, encoder=SlowEncoder(clock)))  # type: ignore[arg-type] # as above
    begun_s, driver = clock.wall_s(), client.router.parts.drive(Role.DECIDE)
    headers = Headers(((":method", "POST"), (":path", PATH), ("authorization", "Bearer test-client")))
    await driver.on_request_headers(RequestStarted(headers, last=False))
    clock.advance(4.0)
    await driver.on_request_body(
        BodyReceived(b'{"model":"auto","messages":[{"role":"user","content":"Hi"}]}', last=True)
    )
    (report,) = client.router.reports.decisions
    signals, cache = report.decision.explanation.stages  # type: ignore[union-attr] # not rejected
    assert (report.exchange.started_s, report.started_s) == (begun_s, begun_s + 4)
    assert (signals.started_s, signals.duration_s, cache.started_s) == (begun_s + 4, 1.0, begun_s + 5)
    assert isinstance(report.decision, Forward)
    assert report.decision.write_token.started_s == begun_s + 5


@pytest.mark.parametrize("flags", ["00", "01", "02", "03"])
async def test_both_reports_carry_the_trace_parent_with_its_sampled_flag(flags: str) -> None:
    """An exporter records only what the caller records."""
    client = Client(fake_router())
    await client.ask(chat(), traceparent=f"00-{TRACE}-{SPAN}-{flags}", x_request_id="r")
    for report in (client.router.reports.decisions[0], client.router.reports.answers[0]):
        ids = report.exchange.ids
        assert (ids.trace_id, ids.span_id, ids.sampled, ids.request_id) == (
            TRACE,
            SPAN,
            flags in {"01", "03"},
            "r",
        )


async def test_the_answer_of_another_stream_is_reported_with_the_start_of_its_exchange() -> None:
    client = Client(fake_router())
    begun_s, sent = client.router.clock.wall_s(), await client.send(chat())
    client.router.clock.advance(2.0)
    client.answer(sent, answer_json())
    (report,) = client.router.reports.answers
    assert (report.exchange.started_s, report.started_s, report.duration_s) == (begun_s, begun_s, 2.0)


async def test_a_refused_request_is_reported_with_the_start_of_its_exchange() -> None:
    client = Client(fake_router())
    await client.send(b"{", content_encoding="gzip")
    (report,) = client.router.reports.decisions
    assert report.exchange.started_s == report.started_s == client.router.clock.wall_s()
