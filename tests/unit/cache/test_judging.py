"""How many candidates are verified: the next one follows only where it costs little or has a chance."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.cache.base import Neighbour
from router_extproc.cache.judging import CLOSE_SCORE_MIN, is_hopeless, judge_until_accepted
from router_extproc.cache.results import Judged, Query
from router_extproc.models.base import Verdict
from router_extproc.testing.check_cache_backend import made_entry, unit_vector

ACCEPTED = Verdict(accepted=True, score=0.9, reason="ok", inferred=True)
CLOSE = Verdict(accepted=False, score=CLOSE_SCORE_MIN, reason="verifier", inferred=True)
FAR = Verdict(accepted=False, score=CLOSE_SCORE_MIN - 0.01, reason="verifier", inferred=True)
GUARDED = Verdict(accepted=False, score=0.0, reason="numbers")


class ScriptedVerifier:
    """Gives the verdicts in order, and counts them."""

    def __init__(self, *verdicts: Verdict) -> None:
        self._verdicts = list(verdicts)

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:  # noqa: ARG002 - the port
        return self._verdicts.pop(0)


def neighbour(similarity: float) -> Neighbour:
    entry = made_entry("a", now_s=0.0, vector=unit_vector(1.0))
    return Neighbour(replace(entry, prompt="cached"), similarity)


def judge(*verdicts: Verdict) -> list[Verdict]:
    """What two candidates were found to be."""
    entry = neighbour(1.0).entry
    assert entry.vector is not None
    query = Query(entry.scope, entry.partition, entry.vector, "asked", 0.5)
    judged = judge_until_accepted(ScriptedVerifier(*verdicts), query, [neighbour(0.9), neighbour(0.85)])
    return [each.verdict for each in judged]


def test_a_second_candidate_follows_a_close_refusal() -> None:
    assert judge(CLOSE, ACCEPTED) == [CLOSE, ACCEPTED]


def test_none_follows_a_clear_refusal_of_the_net() -> None:
    """It would cost as much again, and on labelled pairs it was never accepted."""
    assert judge(FAR, ACCEPTED) == [FAR]


def test_a_second_candidate_follows_a_guard() -> None:
    """The same question with another number may be the nearest, and the right one the next."""
    assert judge(GUARDED, ACCEPTED) == [GUARDED, ACCEPTED]


def test_none_follows_an_accepted_one() -> None:
    assert judge(ACCEPTED, ACCEPTED) == [ACCEPTED]


@pytest.mark.parametrize(
    ("verdict", "similarity", "hopeless"),
    [(FAR, 0.9, True), (FAR, 0.89, True), (FAR, 0.91, False), (CLOSE, 0.8, False), (GUARDED, 0.8, False)],
)
def test_a_candidate_is_hopeless_behind_one_that_was_refused_clearly(
    verdict: Verdict, similarity: float, *, hopeless: bool
) -> None:
    """The backend may hold a nearer one than the near tier, which is worth a look."""
    judged = [Judged(neighbour(0.9), verdict)]
    assert is_hopeless(neighbour(similarity), judged) is hopeless
