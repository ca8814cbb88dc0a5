"""`weighted` gives every candidate its share of conversations, and keeps each where it is."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router_extproc.routing.catalogue import Target
from router_extproc.routing.selection.base import Candidate, Circumstances
from router_extproc.routing.selection.weighted import WeightedSelection

MODELS = st.lists(st.text(max_size=8), min_size=1, max_size=6, unique=True)
WEIGHTS = st.floats(1e-6, 1e6)
CANDIDATES = MODELS.flatmap(
    lambda names: st.tuples(
        *(WEIGHTS.map(lambda weight, name=name: candidate(name, weight)) for name in names)
    )
)


def candidate(name: str, weight: float = 1.0) -> Candidate:
    return Candidate(Target(name, f"pool_{name}", name, None), weight)


def chosen(candidates: tuple[Candidate, ...], conversation: bytes) -> Candidate:
    return WeightedSelection().choose(candidates, Circumstances(conversation=conversation)).candidate


@settings(max_examples=200, deadline=None, database=None)
@given(CANDIDATES, st.binary(max_size=32), st.randoms())
def test_the_order_of_the_candidates_means_nothing(
    candidates: tuple[Candidate, ...], conversation: bytes, random: Random
) -> None:
    shuffled = list(candidates)
    random.shuffle(shuffled)
    assert chosen(candidates, conversation) == chosen(tuple(shuffled), conversation)


@settings(max_examples=200, deadline=None, database=None)
@given(CANDIDATES.filter(lambda each: len(each) > 1), st.binary(max_size=32), st.data())
def test_a_candidate_that_is_taken_away_moves_only_its_own(
    candidates: tuple[Candidate, ...], conversation: bytes, data: st.DataObject
) -> None:
    before = chosen(candidates, conversation)
    gone = data.draw(st.sampled_from(candidates))
    left = tuple(each for each in candidates if each != gone)
    assert gone == before or chosen(left, conversation) == before


@pytest.mark.parametrize("weights", [(1.0, 1.0), (1.0, 3.0), (5.0, 3.0, 2.0)])
def test_each_gets_its_share(weights: tuple[float, ...]) -> None:
    candidates = tuple(candidate(f"m{place}", weight) for place, weight in enumerate(weights))
    counts = Counter(chosen(candidates, number.to_bytes(4)).target.model for number in range(4000))
    for each in candidates:
        share = each.weight / sum(weights)
        assert counts[each.target.model] / 4000 == pytest.approx(share, abs=0.03)


def test_it_tells_the_shares() -> None:
    choice = WeightedSelection().choose((candidate("a", 1.0), candidate("b", 3.0)), Circumstances())
    assert choice.numbers == {"a": {"share": 0.25}, "b": {"share": 0.75}}
