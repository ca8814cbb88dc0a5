"""Verifies candidates, one after the other, until one is accepted or the next one has no chance.

A candidate that a guard refuses costs a fraction of a millisecond, so the next one follows. One that the net
has read costs milliseconds: where the net was sure, it does not read a candidate that is further away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar

from router_extproc.cache.base import Neighbour
from router_extproc.cache.results import Judged, Query
from router_extproc.models.base import Verdict, Verifier

#: Neighbours that each tier may propose, and that are verified at most.
CANDIDATES_MAX = 2
#: Score that a refusal of the net needs for another candidate to follow. Of 738 right hits on Quora pairs
#: that no net was trained on, 9 are a second candidate's behind such a refusal, 8 of them at 0.5 or more; of
#: 96 second candidates behind lower scores one was right.
CLOSE_SCORE_MIN = 0.5

T = TypeVar("T")


class RunBlocking(Protocol):
    """Runs blocking work in the inference executor."""

    async def __call__(self, work: Callable[[], T]) -> T:
        """The result of `work`; its errors pass through."""
        ...


async def run_inline(work: Callable[[], T]) -> T:
    """Runs the work where it is; for verifiers of some hundred microseconds."""
    return work()


def judge_until_accepted(
    verifier: Verifier, query: Query, candidates: Sequence[Neighbour]
) -> tuple[Judged, ...]:
    """What was looked at, the accepted one last; blocking. `candidates`: nearest first."""
    judged: list[Judged] = []
    for neighbour in candidates:
        verdict = verifier.verify(neighbour.entry.prompt, query.prompt, neighbour.similarity)
        judged.append(Judged(neighbour, verdict))
        if verdict.accepted or is_far(verdict):
            break
    return tuple(judged)


def is_far(verdict: Verdict) -> bool:
    """True when the net refuses a candidate so clearly that none further away is worth its time."""
    return verdict.inferred and not verdict.accepted and verdict.score < CLOSE_SCORE_MIN


def is_hopeless(neighbour: Neighbour, judged: Iterable[Judged]) -> bool:
    """True when a candidate at least as near was refused clearly."""
    return any(is_far(each.verdict) and neighbour.similarity <= each.neighbour.similarity for each in judged)
