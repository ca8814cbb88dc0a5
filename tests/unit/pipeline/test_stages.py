"""A stage ends in its budget and its failure is a note."""

from __future__ import annotations

import asyncio

import pytest

from router_extproc.clock import Budget
from router_extproc.errors import CacheError, StageTimeout
from router_extproc.pipeline.stages import run_stage
from router_extproc.testing.clock import ManualClock

#: The clock stands still: only a budget of nothing is ever used up.
CLOCK = ManualClock()
BUDGET = Budget.of(CLOCK, 60.0)


async def test_value_of_a_stage_that_went_well() -> None:
    result = await run_stage("signals", asyncio.sleep(0, "done"), BUDGET)
    assert (result.value, result.note.outcome) == ("done", "ok")


@pytest.mark.parametrize(
    ("error", "outcome", "reason"),
    [
        (CacheError("cache", "milvus away"), "error", "milvus away"),
        (StageTimeout("cache"), "timeout", ""),
        (TimeoutError(), "timeout", ""),
        (KeyError("secret"), "error", "KeyError"),
    ],
)
async def test_failure_becomes_a_note(error: Exception, outcome: str, reason: str) -> None:
    """Of an unforeseen error only the type is told: its text may hold what a client wrote."""

    async def fail() -> str:
        raise error

    result = await run_stage("cache", fail(), BUDGET)
    assert result.value is None
    assert (result.note.outcome, result.note.reason) == (outcome, reason)


async def test_stage_over_its_budget_is_ended() -> None:
    cancelled = asyncio.Event()

    async def forever() -> str:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        return "never"

    result = await run_stage("cache", forever(), Budget.of(CLOCK, 0.0))
    assert result.note.outcome == "timeout"
    assert result.value is None
    assert cancelled.is_set()


async def test_cancelled_request_cancels_the_stage() -> None:
    task = asyncio.create_task(run_stage("cache", asyncio.Event().wait(), BUDGET))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
