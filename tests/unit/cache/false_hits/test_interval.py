"""Exact statements about a rate, against sums that are exact by themselves."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.cache.false_hits.interval import at_most, interval


def summed(wrong: int, trials: int, rate: float) -> float:
    return sum(comb(trials, k) * rate**k * (1 - rate) ** (trials - k) for k in range(wrong + 1))


@given(trials=st.integers(1, 300), share=st.floats(0, 1), rate=st.floats(0.001, 0.999))
def test_at_most_is_the_sum_of_the_binomial_distribution(trials: int, share: float, rate: float) -> None:
    wrong = int(share * trials)
    assert at_most(wrong, trials, rate) == pytest.approx(summed(wrong, trials, rate), abs=1e-11)


@pytest.mark.parametrize(
    ("wrong", "trials", "lower", "upper"),
    [
        # Published: Clopper and Pearson's own table, and R's binom.test.
        (0, 10, 0.0, 0.30849711),
        (1, 20, 0.00126509, 0.24873276),
        (5, 5, 0.47817625, 1.0),
        (10, 100, 0.04900469, 0.17622260),
    ],
)
def test_interval_is_the_published_one(wrong: int, trials: int, lower: float, upper: float) -> None:
    assert interval(wrong, trials) == pytest.approx((lower, upper), abs=1e-7)


def test_nothing_is_known_before_the_first_trial() -> None:
    assert interval(0, 0) == (0.0, 1.0)


@given(trials=st.integers(1, 5000), share=st.floats(0, 1))
def test_interval_holds_what_was_seen(trials: int, share: float) -> None:
    wrong = int(share * trials)
    lower, upper = interval(wrong, trials)
    assert 0.0 <= lower <= wrong / trials <= upper <= 1.0
