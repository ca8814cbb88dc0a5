"""Stages: work that may fail or be late without harming the request.

It is not a scheduler. The rule it keeps: a stage ends within its budget, its failure becomes a
note, and the request goes on without it. This holds one of the two broad catches of the package.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Generic, TypeVar

from router_extproc.clock import Budget
from router_extproc.errors import StageError, StageTimeout
from router_extproc.pipeline.decision import StageNote

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StageResult(Generic[T]):
    """What a stage brought, and how it went."""

    #: None when the stage failed; a stage whose result may be None cannot be told apart, so none is.
    value: T | None
    note: StageNote


async def run_stage(stage: str, work: Awaitable[T], budget: Budget) -> StageResult[T]:
    """Await the work for as long as the budget allows; every failure becomes a note.

    A cancelled request cancels the work. `work` must be safe to cancel.
    """
    started_s = budget.clock.monotonic_s()

    def note(outcome: str, reason: str = "") -> StageNote:
        return StageNote(stage, budget.clock.monotonic_s() - started_s, outcome, reason)

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
