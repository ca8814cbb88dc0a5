"""`learned` and `cheapest` weigh expected quality against cost, and say by which numbers."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router_extproc.routing.selection.base import Circumstances
from router_extproc.routing.selection.cheapest import CheapestSelection
from router_extproc.routing.selection.expected import COMPLEXITY, UNREAD
from router_extproc.routing.selection.learned import LearnedSelection
from router_extproc.signals.base import Reading
from router_extproc.testing.check_selection import CANDIDATES

QUALITY = "quality:mine"
SCORES = {"small": 0.6, "served-medium": 0.7, "large": 0.75}
SHARES = st.floats(0, 1)


def known(
    scores: dict[str, float], *, tokens: int = 1000, lengths: dict[str, float] | None = None
) -> Circumstances:
    """A request of which this is expected."""
    return Circumstances(
        {QUALITY: Reading(QUALITY, "large", 0.75, scores, answer_tokens=lengths or {})}, tokens=tokens
    )


def hard(chance: float) -> Circumstances:
    """A request that a weak model fails with this chance."""
    reading = Reading(COMPLEXITY, None, chance, {"fails": chance, "copes": 1 - chance})
    return Circumstances({COMPLEXITY: reading}, tokens=100)


@pytest.mark.parametrize(
    ("cost_weight", "model"), [(0.0, "large"), (0.1, "medium"), (0.3, "medium"), (1.0, "small")]
)
def test_learned_takes_the_best_value(cost_weight: float, model: str) -> None:
    choice = LearnedSelection(QUALITY, cost_weight).choose(CANDIDATES, known(SCORES))
    assert choice.candidate.target.model == model
    assert choice.reason == f"the best value at cost_weight {cost_weight:g}"
    assert choice.numbers["large"]["value"] == pytest.approx(0.75 - cost_weight)
    assert choice.numbers["medium"]["cost"] == pytest.approx(0.3 * 1500 / 1e6)


def test_the_expected_length_of_an_answer_is_part_of_its_cost() -> None:
    lengths = {"small": 100_000.0, "large": 10.0}
    choice = LearnedSelection(QUALITY, 0.5).choose(CANDIDATES, known(SCORES, lengths=lengths))
    assert choice.candidate.target.model == "large"
    assert choice.numbers["small"]["cost"] > choice.numbers["large"]["cost"]


@pytest.mark.parametrize(
    ("quality_min", "model"), [(0.0, "small"), (0.8, "small"), (0.9, "medium"), (1.0, "large")]
)
def test_cheapest_keeps_a_share_of_the_best_quality(quality_min: float, model: str) -> None:
    choice = CheapestSelection(QUALITY, quality_min).choose(CANDIDATES, known(SCORES))
    assert choice.candidate.target.model == model
    assert choice.numbers["small"]["needed"] == pytest.approx(0.75 * quality_min)


@pytest.mark.parametrize(("chance", "model"), [(0.05, "small"), (0.15, "medium"), (0.9, "large")])
def test_without_a_table_complexity_tells_what_the_cheapest_can_do(chance: float, model: str) -> None:
    choice = CheapestSelection(COMPLEXITY, 0.9).choose(CANDIDATES, hard(chance))
    assert choice.candidate.target.model == model
    assert choice.numbers["small"]["quality"] == pytest.approx(1 - chance)
    assert choice.numbers["large"]["quality"] == 1


def test_where_all_cost_the_same_complexity_tells_nothing() -> None:
    equal = [replace(each, price=None) for each in CANDIDATES]
    choice = CheapestSelection(COMPLEXITY, 0.9).choose(equal, hard(1.0))
    assert choice.candidate == equal[0]


@pytest.mark.parametrize("selection", [LearnedSelection(QUALITY, 0.1), CheapestSelection(QUALITY, 0.9)])
def test_what_was_not_read_gives_the_first_and_says_so(
    selection: LearnedSelection | CheapestSelection,
) -> None:
    for nothing in (Circumstances(), known({}), known({"another": 1.0})):
        choice = selection.choose(CANDIDATES, nothing)
        assert (choice.candidate, choice.reason, choice.numbers) == (CANDIDATES[0], UNREAD, {})
    assert CheapestSelection(COMPLEXITY, 0.9).choose(CANDIDATES, Circumstances()).reason == UNREAD


def test_a_candidate_that_the_table_does_not_know_is_not_chosen() -> None:
    choice = LearnedSelection(QUALITY, 0.0).choose(CANDIDATES, known({"small": 0.1}))
    assert choice.candidate.target.model == "small"
    assert choice.numbers.keys() == {"small"}


@given(st.tuples(SHARES, SHARES, SHARES), st.lists(SHARES, min_size=2, max_size=6))
def test_a_higher_quality_min_never_saves_and_never_harms(
    scores: tuple[float, ...], steps: list[float]
) -> None:
    """One knob: turned up, both cost and expected quality rise or stay."""
    named = dict(zip(("small", "medium", "large"), scores, strict=True))
    chosen = []
    for step in sorted(steps):
        choice = CheapestSelection(QUALITY, step).choose(CANDIDATES, known(named))
        numbers = choice.numbers[choice.candidate.target.model]
        assert numbers["quality"] >= numbers["needed"] - 1e-9
        chosen.append(numbers)
    assert all(low["cost"] <= high["cost"] for low, high in pairwise(chosen))


@given(st.tuples(SHARES, SHARES, SHARES), st.lists(st.floats(0, 5), min_size=2, max_size=6))
def test_a_higher_cost_weight_never_costs_more(scores: tuple[float, ...], weights: list[float]) -> None:
    named = dict(zip(("small", "medium", "large"), scores, strict=True))
    costs = []
    for weight in sorted(weights):
        choice = LearnedSelection(QUALITY, weight).choose(CANDIDATES, known(named))
        costs.append(choice.numbers[choice.candidate.target.model]["cost"])
    assert all(low >= high - 1e-12 for low, high in pairwise(costs))
