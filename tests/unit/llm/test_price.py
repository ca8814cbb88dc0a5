"""What tokens cost."""

from __future__ import annotations

import pytest

from router_extproc.llm.answer import Usage
from router_extproc.llm.price import Price

USAGE = Usage(1000, 100, cached_tokens=900)


def test_cached_tokens_cost_as_much_as_others_where_nobody_says_otherwise() -> None:
    """In millionths: 1000 at 3 and 100 at 15."""
    assert Price(3.0, 15.0).of(USAGE) == pytest.approx(4500e-6)


def test_cached_tokens_have_a_price_of_their_own() -> None:
    """In millionths: 100 at 3, 900 at 0.3 and 100 at 15."""
    assert Price(3.0, 15.0, 0.3).of(USAGE) == pytest.approx(2070e-6)
    assert Price(3.0, 15.0, 0.0).of(USAGE) == pytest.approx(1800e-6)


@pytest.mark.parametrize(("told", "counted"), [(5000, 1000), (-5, 0)])
def test_a_pool_that_reports_nonsense_has_cached_none_or_all(told: int, counted: int) -> None:
    price = Price(3.0, 15.0, 0.3)
    assert price.of(Usage(1000, 100, told)) == price.of(Usage(1000, 100, counted))
