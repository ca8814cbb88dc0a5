"""The threshold that keeps false hits under a bound, on made-up streams whose truth is known."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from router_extproc.cache.false_hits.threshold import (
    CLOSED,
    CONFIDENCE,
    EDGES,
    LOOK_FIRST,
    RESULTS_MAX,
    ScoreThreshold,
    ShadowResult,
)

RATE_MAX = 0.1
STREAMS = 80
LENGTH = 1200

Chance = Callable[[float], float]


def overconfident(score: float) -> float:
    """The verifier says 0.9 and is right in seven of ten."""
    return min(1.0, 3.0 * (1.0 - score))


def flat(score: float) -> float:
    """Scores say nothing: everything is just over the bound."""
    del score
    return RATE_MAX + 0.005


def sharp(score: float) -> float:
    """Good from 0.95 on, bad below."""
    return 0.02 if score >= 0.95 else 0.4


def draw(dice: random.Random) -> float:
    """Scores as a verifier gives them: most of them high."""
    return 1.0 - 0.4 * dice.random() ** 2


def true_rates(wrong_chance: Chance) -> dict[float, float]:
    """The rate of false hits above each edge, over the distribution of `draw`."""
    scores = [1.0 - 0.4 * ((step + 0.5) / 20_000) ** 2 for step in range(20_000)]
    rates = {}
    for edge in EDGES:
        above = [wrong_chance(score) for score in scores if score >= edge]
        rates[edge] = sum(above) / len(above)
    return rates


def broken(wrong_chance: Chance, seed: int, rates: dict[float, float]) -> bool:
    """True when the threshold was ever one above which more is wrong than is allowed."""
    dice, threshold, over = random.Random(seed), ScoreThreshold(RATE_MAX), False
    for _ in range(LENGTH):
        score = draw(dice)
        threshold.add(ShadowResult(score, wrong=dice.random() < wrong_chance(score)))
        over = over or rates.get(threshold.score_min, 0.0) > RATE_MAX
    return over


@pytest.mark.parametrize("wrong_chance", [overconfident, flat, sharp])
def test_the_bound_holds_on_streams_of_every_kind(wrong_chance: Chance) -> None:
    """At any time, with the chance that was promised; looking often must not wear it out."""
    rates = true_rates(wrong_chance)
    failures = sum(broken(wrong_chance, seed, rates) for seed in range(STREAMS))
    assert failures <= (1.0 - CONFIDENCE) * STREAMS


def test_a_good_cache_is_opened_to_all_that_the_verifier_accepts() -> None:
    threshold = ScoreThreshold(RATE_MAX)
    for _ in range(4 * LOOK_FIRST):
        threshold.add(ShadowResult(0.7, wrong=False))
    assert threshold.score_min == EDGES[0]


def test_scores_that_are_worth_it_are_opened_alone() -> None:
    dice, threshold = random.Random(1), ScoreThreshold(RATE_MAX)
    for _ in range(RESULTS_MAX):
        score = draw(dice)
        threshold.add(ShadowResult(score, wrong=dice.random() < sharp(score)))
    assert 0.9 <= threshold.score_min <= 0.97


def test_nothing_is_a_hit_before_the_first_look() -> None:
    threshold = ScoreThreshold(RATE_MAX)
    for _ in range(LOOK_FIRST - 1):
        threshold.add(ShadowResult(1.0, wrong=False))
        assert threshold.score_min == CLOSED
    assert threshold.score_min_with(()) == CLOSED


def test_a_cache_that_goes_bad_is_closed_before_the_next_look() -> None:
    threshold = ScoreThreshold(RATE_MAX)
    for _ in range(2 * LOOK_FIRST):
        threshold.add(ShadowResult(0.999, wrong=False))
    assert threshold.score_min < CLOSED
    for _ in range(LOOK_FIRST // 2):
        threshold.add(ShadowResult(0.999, wrong=True))
    assert threshold.score_min == CLOSED


def test_complaints_beside_only_raise_the_threshold() -> None:
    threshold = ScoreThreshold(RATE_MAX)
    for _ in range(2 * LOOK_FIRST):
        threshold.add(ShadowResult(0.999, wrong=False))
    before = threshold.score_min
    assert threshold.score_min_with([ShadowResult(1.0, wrong=True)] * LOOK_FIRST) == CLOSED
    assert threshold.score_min == before
