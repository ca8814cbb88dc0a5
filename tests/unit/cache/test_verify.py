"""The guard verifier: similarity proposes, guards dispose."""

from __future__ import annotations

import math

import pytest

from router_extproc.cache.verify import GuardVerifier
from router_extproc.equivalence import GUARDED_SIMILARITY_MIN, QUESTION_CHARS_MAX

CACHED = "What are the main renewable energy sources?"
REPHRASED = "Which are the main sources of renewable energy?"
OPPOSITE = "What are the main non-renewable energy sources?"


def test_near_rephrasing_is_accepted() -> None:
    verdict = GuardVerifier().verify(CACHED, REPHRASED, 0.96)
    assert (verdict.accepted, verdict.reason) == (True, "ok")


def test_opposite_is_refused_however_similar() -> None:
    verdict = GuardVerifier().verify(CACHED, OPPOSITE, 0.999)
    assert (verdict.accepted, verdict.reason) == (False, "negation")


def test_a_narrowed_question_is_refused_however_similar() -> None:
    verdict = GuardVerifier().verify("How do I learn chess?", "How do I learn chess on my own?", 0.999)
    assert (verdict.accepted, verdict.reason) == (False, "narrower")


def test_far_rephrasing_is_refused() -> None:
    verdict = GuardVerifier().verify(CACHED, REPHRASED, GUARDED_SIMILARITY_MIN - 0.001)
    assert (verdict.accepted, verdict.reason) == (False, "similarity")


def test_bound_is_inclusive() -> None:
    assert GuardVerifier(similarity_min=0.5).verify(CACHED, REPHRASED, 0.5).accepted


def test_same_text_needs_no_similarity() -> None:
    verdict = GuardVerifier().verify(CACHED, CACHED, 0.0)
    assert (verdict.accepted, verdict.score) == (True, 1.0)


def test_overlong_text_is_refused() -> None:
    """Two texts that differ behind the part that was compared would look alike."""
    long = "a " * QUESTION_CHARS_MAX
    assert GuardVerifier().verify(long + "x", long + "y", 1.0).reason == "too-long"


def test_score_grows_with_similarity_and_falls_with_a_refusal() -> None:
    verifier = GuardVerifier()
    scores = [
        verifier.verify(CACHED, text, similarity).score
        for text, similarity in ((OPPOSITE, 0.99), (REPHRASED, 0.8), (REPHRASED, 0.99))
    ]
    assert scores == sorted(scores)
    assert all(0.0 <= score <= 1.0 for score in scores)


@pytest.mark.parametrize("similarity", [math.nan, math.inf, -math.inf, 2.0, -2.0])
def test_impossible_similarity_is_never_accepted_by_chance(similarity: float) -> None:
    verdict = GuardVerifier().verify(CACHED, OPPOSITE, similarity)
    assert not verdict.accepted
    assert 0.0 <= verdict.score <= 1.0


def test_not_a_number_is_refused() -> None:
    assert not GuardVerifier().verify(CACHED, REPHRASED, math.nan).accepted
