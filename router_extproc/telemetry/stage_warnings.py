"""A warning for stages that failed or ran out of time, each way to fail at most once in a while."""

from __future__ import annotations

from typing import Final, TypeAlias

import structlog

from router_extproc.clock import Clock
from router_extproc.pipeline.decision import Reject, StageNote
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.telemetry.limiter import LineLimiter

#: Stage, outcome and reason.
_Way: TypeAlias = tuple[str, str, str]


class StageWarnings:
    """Fits pipeline.report.Listener."""

    def __init__(self, clock: Clock) -> None:
        self._log = structlog.get_logger()
        self._limiter: Final = LineLimiter[_Way](clock, self._tell_rest)

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        decision = report.decision
        if isinstance(decision, Reject):
            self._log.debug("request rejected", dialect=report.dialect, code=decision.error.code)
        for note in decision.explanation.stages if decision.explanation is not None else ():
            if note.outcome != "ok":
                self._warn(note)

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""

    def drain(self) -> None:
        """Say what was suppressed and not said yet."""
        self._limiter.drain()

    def _warn(self, note: StageNote) -> None:
        suppressed = self._limiter.admit((note.stage, note.outcome, note.reason))
        if suppressed is None:
            return
        self._log.warning(
            "stage failed", stage=note.stage, outcome=note.outcome, reason=note.reason, suppressed=suppressed
        )

    def _tell_rest(self, way: _Way, suppressed: int) -> None:
        stage, outcome, reason = way
        self._log.warning(
            "stage failures not logged", stage=stage, outcome=outcome, reason=reason, suppressed=suppressed
        )
