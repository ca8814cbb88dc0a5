from __future__ import annotations

import pytest

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price
from router_extproc.pipeline.baseline import Baseline, Compared

PRICES = {"small": Price(0.05, 0.10), "large": Price(0.40, 0.80)}
LARGE = Baseline("large", PRICES)
USAGE = Usage(1000, 500)


def test_the_arithmetic_is_that_of_a_hand() -> None:
    """In millionths, small: 1000 at 0.05 and 500 at 0.10 are 100; large: 400 and 400 (200, 800)."""
    compared = LARGE.compare("small", USAGE)
    assert compared == Compared("large", *map(pytest.approx, (0.0001, 0.0008, 0.0006, 0.0012)))


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
