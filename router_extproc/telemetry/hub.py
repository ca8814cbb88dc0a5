"""The one listener of a process: what happened becomes metrics, and where it matters a log line.

It decides nothing. The rule it keeps: a failing stage is logged at most once in
`WARN_EVERY_S` for each way to fail; the rest is counted in the metric.
"""

from __future__ import annotations

from typing import Final

import structlog

from router_extproc.clock import Clock
from router_extproc.pipeline.decision import Reject, StageNote
from router_extproc.pipeline.report import AnswerReport, DecisionReport
from router_extproc.protocol.modes import Role
from router_extproc.server.base import Outcome
from router_extproc.telemetry.metrics import Metrics

WARN_EVERY_S: Final = 10.0
#: Ways to fail that are remembered; stages and reasons are few.
WAYS_MAX: Final = 256


class Telemetry:
    """Fits pipeline.report.Listener and server.base.StreamCounter."""

    def __init__(self, metrics: Metrics, clock: Clock) -> None:
        self.metrics: Final = metrics
        self._clock: Final = clock
        self._log = structlog.get_logger()
        self._warned_s: dict[tuple[str, str, str], float] = {}

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        self.metrics.decided(report)
        decision = report.decision
        if isinstance(decision, Reject):
            self._log.debug("request rejected", dialect=report.dialect, code=decision.error.code)
            return
        for note in decision.explanation.stages:
            if note.outcome not in ("ok", "skipped"):
                self._warn(note)

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""
        self.metrics.answered(report)

    def opened(self, role: Role) -> None:
        """See StreamCounter."""
        self.metrics.opened(role)

    def closed(self, role: Role, outcome: Outcome) -> None:
        """See StreamCounter."""
        self.metrics.closed(role, outcome)

    def _warn(self, note: StageNote) -> None:
        way, now_s = (note.stage, note.outcome, note.reason), self._clock.monotonic_s()
        if now_s - self._warned_s.get(way, -WARN_EVERY_S) < WARN_EVERY_S:
            return
        if len(self._warned_s) >= WAYS_MAX:
            self._warned_s.clear()
        self._warned_s[way] = now_s
        self._log.warning("stage failed", stage=note.stage, outcome=note.outcome, reason=note.reason)
