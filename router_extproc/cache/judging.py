"""Verifies candidates, one after the other, until one is accepted. Each costs one verification."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from router_extproc.cache.base import Neighbour
from router_extproc.cache.results import Judged, Query
from router_extproc.models.base import Verifier

#: Neighbours that each tier may propose, and that are verified at most.
CANDIDATES_MAX = 2

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
    """What was looked at, the accepted one last; blocking."""
    judged: list[Judged] = []
    for neighbour in candidates:
        verdict = verifier.verify(neighbour.entry.prompt, query.prompt, neighbour.similarity)
        judged.append(Judged(neighbour, verdict))
        if verdict.accepted:
            break
    return tuple(judged)
