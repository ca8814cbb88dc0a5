"""The redaction stage: replaces personal facts in a request, within what is left of its time.

What could not be searched to its end must not leave: its result is an error, not a note beside a request that
goes on.
"""

from __future__ import annotations

import asyncio
from typing import Final

from router_extproc.clock import Budget
from router_extproc.errors import RequestError, RouterUnavailable, StageTimeout, UnsupportedRequest
from router_extproc.llm.request import InferenceRequest
from router_extproc.pipeline.decision import StageNote
from router_extproc.pipeline.parsed_request import ParsedRequest
from router_extproc.pipeline.stages import run_stage
from router_extproc.redaction.request import Redacted, redact
from router_extproc.redaction.search import Steps
from router_extproc.routing.actions import Redaction

STAGE: Final = "redaction"
#: After so long, in seconds, other requests of this worker have their turn.
SLICE_S: Final = 0.005
#: Why a request is refused that only the model can read.
_CODED: Final = "This request must be read before it is sent on: write it as text, not as tokens."
_FAILED: Final = "The gateway could not remove personal data from this request in time. Try again."


async def run_redaction(parsed: ParsedRequest, rule: Redaction) -> tuple[Redacted | RequestError, StageNote]:
    """The redacted request, or why there is none."""
    if parsed.request.is_coded:
        note = StageNote(STAGE, 0.0, "error", "coded", started_s=parsed.budget.clock.wall_s())
        return UnsupportedRequest(_CODED), note
    body = parsed.raw.body
    steps = redact(body, parsed.raw.dialect.texts(body), rule)
    result = await run_stage(STAGE, _run(steps, parsed.budget), parsed.budget)
    if result.value is None:
        return RouterUnavailable(_FAILED), result.note
    return result.value, result.note


def refusal_of(request: InferenceRequest, unread: RouterUnavailable) -> RequestError:
    """The error for a request that must not leave unread; a coded one is no more readable the next time."""
    return UnsupportedRequest(_CODED) if request.is_coded else unread


async def _run(steps: Steps[Redacted], budget: Budget) -> Redacted | RequestError:
    """All steps, with a pause for others now and then."""
    clock = budget.clock
    since_s = clock.monotonic_s()
    while True:
        try:
            next(steps)
        except StopIteration as over:
            redacted: Redacted = over.value
            return redacted
        except RequestError as error:
            return error
        if budget.left_s() <= 0:
            raise StageTimeout(STAGE)
        now_s = clock.monotonic_s()
        if now_s - since_s >= SLICE_S:
            await asyncio.sleep(0)
            since_s = clock.monotonic_s()
