"""Costs, from the reports of some requests to what `router-extproc savings` says of them."""

from __future__ import annotations

import pytest
from prometheus_client import generate_latest

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.metrics.savings import read_savings
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.reports import answered
from router_extproc.testing.router import fake_router

PRICES = {"small": Price(1.0, 2.0), "large": Price(10.0, 20.0)}
LARGE = Baseline("large", PRICES)


def told(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_two_answers_and_a_hit_are_as_a_hand_adds_them_up() -> None:
    """A million tokens in and half a million out: small 2, large 20 (15 to 30)."""
    metrics, usage = Metrics(), Usage(1_000_000, 500_000)
    small, large = LARGE.compare("small", usage), LARGE.compare("large", usage)
    assert small is not None
    metrics.answered(answered(model="small", decision="easy", compared=small))
    metrics.answered(answered(model="large", decision="hard", compared=large))
    metrics._costs.count("small", "easy", "cache", small)  # noqa: SLF001 - as of a replay
    report = read_savings(told(metrics))
    assert report.baselines == ("large",)
    easy, hard, total = report.decisions["easy"], report.decisions["hard"], report.total
    assert (easy.spent, easy.cached, easy.expected) == pytest.approx((2, 2, 40))
    assert (easy.total, easy.by_routing) == pytest.approx((38, 36))
    assert easy.bounds == pytest.approx((28, 58))
    assert (hard.spent, hard.total, *hard.bounds) == pytest.approx((20, 0, 0, 0))
    assert (total.spent, total.expected, total.total) == pytest.approx((22, 60, 38))


def test_without_prices_nothing_is_told() -> None:
    metrics = Metrics()
    metrics.answered(answered(model="small"))
    assert read_savings(told(metrics)).baselines == ()


async def test_an_answer_and_its_hit_are_compared() -> None:
    router = fake_router(baseline=LARGE)
    client = Client(router)
    sent = await client.send(chat())
    client.answer(sent, answer_json())
    await client.send(chat())
    answer, metrics = router.reports.answers[0], Metrics()
    assert answer.compared == LARGE.compare("small", Usage(4, 3))
    metrics.answered(answer)
    for report in router.reports.decisions:
        metrics.decided(report)
    total = read_savings(told(metrics)).total
    assert (total.spent, total.cached, total.expected) == pytest.approx((10e-6, 10e-6, 200e-6))
