"""Stages: work that may fail or time out without harming the request.

A stage ends within its budget; its failure becomes a note, and the request goes on without it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, TypeVar

from router_extproc.clock import Budget
from router_extproc.errors import StageError, StageTimeout
from router_extproc.pipeline.decision import StageNote, StageOutcome

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageResult(Generic[T]):
    """The result of a stage, and how it went."""

    #: None when the stage failed: no stage has None as its result.
    value: T | None
    note: StageNote


async def run_stage(stage: str, work: Awaitable[T], budget: Budget) -> StageResult[T]:
    """Await the work for as long as the budget allows; every failure becomes a note.

    A cancelled request cancels the work. `work` must be safe to cancel.
    """
    clock = budget.clock
    started_s, begun_s = clock.wall_s(), clock.monotonic_s()

    def note(outcome: StageOutcome, reason: str = "") -> StageNote:
        duration_s = clock.monotonic_s() - begun_s
        return StageNote(stage, duration_s, outcome, reason, started_s=started_s)

    try:
        async with asyncio.timeout(budget.left_s()):
            value = await work
    except (TimeoutError, StageTimeout):
        return StageResult(None, note("timeout"))
    except StageError as error:
        return StageResult(None, note("error", error.reason or error.stage))
    except Exception as error:  # noqa: BLE001 - fail open: a bug in a stage must not lose the request
        return StageResult(None, note("error", type(error).__name__))
    return StageResult(value, note("ok"))
