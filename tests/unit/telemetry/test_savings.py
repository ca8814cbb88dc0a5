"""Costs, from the reports of some requests to what is told of them."""

from __future__ import annotations

import pytest

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline, ThinkingLengths
from router_extproc.pipeline.costs import Counted
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.saved_report import saved_report
from router_extproc.testing.client import Client, answer_json, chat
from router_extproc.testing.reports import answered
from router_extproc.testing.router import fake_router

PRICES = {"small": Price(1.0, 2.0), "large": Price(10.0, 20.0)}
LARGE = Baseline("large", PRICES)
USAGE = Usage(1_000_000, 500_000)


def told(metrics: Metrics, group: str = "decisions") -> dict[str, dict[str, float]]:
    """The rows of a group, the members that are not 0; `all` is the total."""
    report = saved_report(metrics.costs.ledger.sums)
    named, total = report[group], report["total"]
    assert isinstance(named, dict)
    rows = {**named, "all": total}
    return {
        name: {key: value for key, value in row.items() if value}  # type: ignore[misc, union-attr]  # JSON
        for name, row in rows.items()
    }


def seen() -> Metrics:
    """An answer of each model, and a hit on the small one's."""
    metrics = Metrics()
    metrics.costs.tags = {"easy": ("cheap", "team"), "hard": ("team",)}
    small, large = LARGE.compare("small", USAGE), LARGE.compare("large", USAGE)
    metrics.answered(answered(model="small", decision="easy", usage=USAGE, compared=small, tenant="search"))
    metrics.answered(answered(model="large", decision="hard", usage=USAGE, compared=large, tenant="other"))
    metrics.costs.count(Counted.of("small", "easy", "cache", USAGE, small, "other"))
    return metrics


def sample(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(f"router_extproc_{name}_total", labels)


def test_two_answers_and_a_hit_are_as_a_hand_adds_them_up() -> None:
    """A million tokens in and half a million out: small 2, large 20 (15 to 30)."""
    rows = told(seen())
    tokens = {"prompt_tokens": 1_000_000, "completion_tokens": 500_000}
    spared = {"saved_prompt_tokens": 1_000_000, "saved_completion_tokens": 500_000}
    easy = {"spent": 2, "baseline": 40, "saved": 38, "saved_low": 28, "saved_high": 58}
    assert rows["easy"] == pytest.approx({**easy, "by_routing": 36, "by_cache": 2, **tokens, **spared})
    assert rows["hard"] == pytest.approx({"spent": 20, "baseline": 20, **tokens})
    whole = {"spent": 22, "baseline": 60, "saved": 38, "saved_low": 28, "saved_high": 58}
    twice = {name: 2 * count for name, count in tokens.items()}
    assert rows["all"] == pytest.approx({**whole, "by_routing": 36, "by_cache": 2, **twice, **spared})


def test_models_tags_and_tenants_have_their_parts() -> None:
    metrics = seen()
    saved = {
        group: {name: row.get("saved", 0) for name, row in told(metrics, group).items() if name != "all"}
        for group in ("models", "tags", "tenants")
    }
    assert saved == {
        "models": {"small": pytest.approx(38), "large": 0},
        # Both tags have the answers of `easy`.
        "tags": {"cheap": pytest.approx(38), "team": pytest.approx(38)},
        # 20 for 2, and a hit that cost nothing in place of 20.
        "tenants": {"search": pytest.approx(18), "other": pytest.approx(20)},
    }


def test_counters_tell_the_same() -> None:
    metrics = seen()
    easy = {"model": "small", "decision": "easy"}
    assert sample(metrics, "answer_cost", **easy, source="pool") == pytest.approx(2)
    assert sample(metrics, "answer_tokens", **easy, source="cache", kind="completion") == 500_000
    bound = {"baseline": "large", "source": "pool", "bound": "high"}
    assert sample(metrics, "tag_baseline_cost", tag="team", **bound) == pytest.approx(50)
    assert sample(metrics, "tenant_answer_tokens", tenant="other", source="pool", kind="prompt") == 1_000_000


def test_what_was_not_thought_is_told_in_tokens_and_money() -> None:
    """300 tokens of output at 2 are 600 millionths."""
    baseline, lengths, metrics = Baseline("large", PRICES, frozenset({"quick"})), ThinkingLengths(), Metrics()
    lengths.note("small", 300)
    compared = baseline.of_answer("small", "quick", Usage(10, 5), lengths)
    metrics.answered(answered(model="small", decision="quick", usage=Usage(10, 5), compared=compared))
    row = told(metrics)["quick"]
    assert (row["saved_reasoning_tokens"], row["by_reasoning_off"]) == (300, pytest.approx(0.0006))
    assert sample(metrics, "unthought_tokens", model="small", decision="quick") == 300


def test_without_prices_tokens_are_told_and_no_money() -> None:
    metrics = Metrics()
    metrics.answered(answered(model="small", usage=Usage(4, 3)))
    assert saved_report(metrics.costs.ledger.sums)["baselines"] == []
    assert told(metrics)["d"] == {"prompt_tokens": 4, "completion_tokens": 3}
    assert sample(metrics, "answer_cost", model="small", decision="d", source="pool") is None


def test_another_pools_answer_is_nobodys() -> None:
    metrics = Metrics()
    metrics.answered(answered(model="small", usage=Usage(4, 3), foreign=True))
    assert not metrics.costs.ledger.sums


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
    total = told(metrics)["all"]
    assert (total["spent"], total["by_cache"], total["baseline"]) == pytest.approx((10e-6, 10e-6, 200e-6))
    assert (total["saved_prompt_tokens"], total["saved_completion_tokens"]) == (4, 3)


async def test_a_hit_whose_pool_reported_no_usage_counts_nowhere() -> None:
    router = fake_router(baseline=LARGE)
    client, metrics = Client(router), Metrics()
    client.answer(await client.send(chat()), answer_json().replace(b'"usage"', b'"unused"'))
    await client.send(chat())
    for report in router.reports.decisions:
        metrics.decided(report)
    assert not metrics.costs.ledger.sums
