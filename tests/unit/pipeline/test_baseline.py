from __future__ import annotations

import pytest

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline, Compared, ThinkingLengths

PRICES = {"small": Price(0.05, 0.10), "large": Price(0.40, 0.80)}
LARGE = Baseline("large", PRICES)
USAGE = Usage(1000, 500)


def test_the_arithmetic_is_that_of_a_hand() -> None:
    """In millionths, small: 1000 at 0.05 and 500 at 0.10 are 100; large: 400 and 400 (200, 800)."""
    compared = LARGE.compare("small", USAGE)
    assert compared == Compared("large", *map(pytest.approx, (0.0001, 0.0008, 0.0006, 0.0012)))


def test_the_baseline_is_taken_to_have_had_as_much_in_its_cache() -> None:
    """In millionths: 200 at 0.05, 800 at 0.01 and 100 at 0.10; 200 at 0.40, 800 at 0.04 and 100 at 0.80."""
    prices = {"small": Price(0.05, 0.10, 0.01), "large": Price(0.40, 0.80, 0.04)}
    compared = Baseline("large", prices).compare("small", Usage(1000, 100, 800))
    assert compared is not None
    assert (compared.own, compared.expected) == (pytest.approx(28e-6), pytest.approx(192e-6))


def test_the_baseline_saves_nothing_against_itself_and_surely_so() -> None:
    assert LARGE.compare("large", USAGE) == Compared("large", *[pytest.approx(0.0008)] * 4)


def test_a_dearer_model_than_the_baseline_costs_more() -> None:
    compared = Baseline("small", PRICES).compare("large", USAGE)
    assert compared is not None
    assert compared.own > compared.high


@pytest.mark.parametrize(("model", "usage"), [("small", None), ("gone", USAGE)])
def test_what_is_not_known_is_not_compared(model: str, usage: Usage | None) -> None:
    assert LARGE.compare(model, usage) is None
    assert Baseline("gone", PRICES).compare("small", USAGE) is None


def test_a_pool_that_reports_nonsense_saves_nothing_by_it() -> None:
    compared = LARGE.compare("small", Usage(-5, -7))
    assert compared == Compared("large", 0.0, 0.0, 0.0, 0.0)


def test_what_a_model_does_not_think_is_worth_what_it_thinks_otherwise() -> None:
    """300 tokens of output at 0.10 are 30 millionths; as long as none was seen to think, nothing is."""
    baseline, lengths = Baseline("large", PRICES, frozenset({"quick"})), ThinkingLengths()
    first = baseline.of_answer("small", "quick", USAGE, lengths)
    assert first is not None
    assert first.unthought == 0
    thought = baseline.of_answer("small", "slow", Usage(1000, 500, reasoning_tokens=300), lengths)
    assert thought is not None
    assert thought.unthought == 0
    baseline.of_answer("small", "slow", USAGE, lengths)
    second = baseline.of_answer("small", "quick", USAGE, lengths)
    assert second is not None
    assert second.unthought == pytest.approx(30e-6)
    assert baseline.of_answer("small", "quick", None, lengths) is None


def test_the_mean_follows_what_is_new() -> None:
    lengths = ThinkingLengths()
    for tokens in (100, *[400] * 200):
        lengths.note("small", tokens)
    assert lengths.of("small") == pytest.approx(400, rel=0.01)
