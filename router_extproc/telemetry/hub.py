"""Where a worker's reports end: metrics, warnings, the request log, and whatever else listens.

A listener that is not asked for is not there, so it costs nothing. One that fails is a warning.
"""

from __future__ import annotations

from typing import Final

import structlog

from router_extproc.clock import Clock
from router_extproc.pipeline.report import AnswerReport, DecisionReport, Listener, Listeners
from router_extproc.protocol.modes import Role
from router_extproc.server.base import Outcome
from router_extproc.telemetry.limiter import LineLimiter
from router_extproc.telemetry.metrics.metrics import Metrics
from router_extproc.telemetry.stage_warnings import StageWarnings


class Telemetry:
    """Fits pipeline.report.Listener and server.base.StreamCounter."""

    def __init__(self, metrics: Metrics, clock: Clock, *more: Listener) -> None:
        """`more`: they get each report after the metrics and the warnings."""
        self.metrics: Final = metrics
        self._warnings: Final = StageWarnings(clock)
        self._failures: Final = ListenerWarnings(clock)
        self._listeners: Final = Listeners(metrics, self._warnings, *more, failed=self._failures.failed)

    def decided(self, report: DecisionReport) -> None:
        """See Listener."""
        self._listeners.decided(report)

    def answered(self, report: AnswerReport) -> None:
        """See Listener."""
        self._listeners.answered(report)

    def opened(self, role: Role) -> None:
        """See StreamCounter."""
        self.metrics.opened(role)

    def closed(self, role: Role, outcome: Outcome) -> None:
        """See StreamCounter."""
        self.metrics.closed(role, outcome)

    def drain(self) -> None:
        """Say what was held back; no report comes after it."""
        self._warnings.drain()
        self._failures.drain()


class ListenerWarnings:
    """A warning for listeners that raise, each kind of error of each at most once in a while."""

    def __init__(self, clock: Clock) -> None:
        self._log = structlog.get_logger()
        self._limiter: Final = LineLimiter[tuple[str, str]](clock, self._say_rest)

    def failed(self, listener: Listener, error: Exception) -> None:
        """Fits pipeline.report.ListenerFailed. Says the error's type only: its text may quote a client."""
        way = type(listener).__name__, type(error).__name__
        suppressed = self._limiter.admit(way)
        if suppressed is not None:
            self._log.warning("report lost", listener=way[0], error=way[1], suppressed=suppressed)

    def drain(self) -> None:
        """Say what was suppressed and not said yet."""
        self._limiter.drain()

    def _say_rest(self, way: tuple[str, str], suppressed: int) -> None:
        self._log.warning("lost reports not logged", listener=way[0], error=way[1], suppressed=suppressed)
