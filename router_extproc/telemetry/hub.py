"""The one listener of a process: passes every report on to metrics, warnings and the request log.

A listener that is not configured is not created, so it costs nothing.
"""

from __future__ import annotations

from typing import Final

from router_extproc.clock import Clock
from router_extproc.pipeline.report import AnswerReport, DecisionReport, Listener
from router_extproc.protocol.modes import Role
from router_extproc.server.base import Outcome
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.stage_warnings import StageWarnings


class Telemetry:
    """Fits pipeline.report.Listener and server.base.StreamCounter."""

    def __init__(self, metrics: Metrics, clock: Clock, *more: Listener) -> None:
        """`more`: told after the metrics and the warnings."""
        self.metrics: Final = metrics
        self._warnings: Final = StageWarnings(clock)
        self._listeners: Final[tuple[Listener, ...]] = (metrics, self._warnings, *more)

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        for listener in self._listeners:
            listener.decided(report)

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""
        for listener in self._listeners:
            listener.answered(report)

    def opened(self, role: Role) -> None:
        """See StreamCounter."""
        self.metrics.opened(role)

    def closed(self, role: Role, outcome: Outcome) -> None:
        """See StreamCounter."""
        self.metrics.closed(role, outcome)

    def drain(self) -> None:
        """Say what was held back; no report comes after it."""
        self._warnings.drain()
