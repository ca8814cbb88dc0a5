"""A request is counted as the pool counts it where that decides which models can take it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace

import pytest

from router_extproc.clock import Budget
from router_extproc.errors import StageTimeout
from router_extproc.models.base import ResultT
from router_extproc.pipeline.token_counts import TokenCounts
from router_extproc.routing.accepts import Demands
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import ALWAYS
from router_extproc.routing.selection.base import Candidate
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.router import InlineInference
from router_extproc.testing.subjects import subject_of

COUNTED = Target("counted", "pool_counted", "c", None, None, 1000, "t.json")
UNCOUNTED = replace(COUNTED, model="uncounted", tokenizer=None)
UNBOUNDED = replace(COUNTED, model="unbounded", context_tokens=None)


class Words:
    """Counts words, and how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def count(self, text: str) -> int:
        self.asked += 1
        return len(text.split())


class Late:
    """Never has time."""

    async def run(self, job: Callable[[], ResultT], *, timeout_s: float) -> ResultT:  # noqa: ARG002 - the port
        raise StageTimeout("tokens")


def demands(target: Target, prompt: str, *, answer: int = 0, words: Words | None = None) -> Demands:
    policy = Policy([RoutingDecision("d", 1, ALWAYS, (Candidate(target),), None)], default=UNBOUNDED)
    counts = TokenCounts(InlineInference(), 1.0, {"t.json": words or Words()})
    request = replace(subject_of(prompt).request, answer_tokens=answer)
    return asyncio.run(counts.demands(request, policy, Budget.of(ManualClock(), 1.0)))


def test_near_the_window_the_pools_own_tokenizer_counts() -> None:
    found = demands(COUNTED, "word " * 700)
    assert (found.counted, found.tokens) == ({"t.json": 704}, 879)
    assert found.fits(COUNTED)


@pytest.mark.parametrize("prompt", ["short", "word " * 10_000])
def test_a_length_that_leaves_no_doubt_is_not_counted(prompt: str) -> None:
    words = Words()
    assert demands(COUNTED, prompt, words=words).counted == {}
    assert words.asked == 0


def test_the_answer_takes_its_part_of_the_window() -> None:
    """What is long beside a window of a thousand is short beside a window of ten thousand."""
    assert demands(COUNTED, "word " * 80, answer=900).counted == {"t.json": 84}
    assert demands(COUNTED, "word " * 80).counted == {}


def test_without_a_tokenizer_it_is_estimated_and_without_a_window_not_even_that() -> None:
    assert demands(UNCOUNTED, "word " * 700) == Demands(tokens=879)
    assert demands(UNBOUNDED, "word " * 700) == Demands()


def test_a_count_that_is_late_leaves_the_estimate() -> None:
    policy = Policy([RoutingDecision("d", 1, ALWAYS, (Candidate(COUNTED),), None)], default=UNBOUNDED)
    counts = TokenCounts(Late(), 1.0, {"t.json": Words()})
    request = subject_of("word " * 700).request
    found = asyncio.run(counts.demands(request, policy, Budget.of(ManualClock(), 1.0)))
    assert found == Demands(tokens=879)
