"""Jumps of the wall clock in metrics and log lines."""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter

from router_extproc.telemetry.logging import get_logger
from router_extproc.telemetry.metrics.exposition import PREFIX

_COSTS: Final = {
    "forward": "entries expire earlier",
    "back": "entries from after the clock's time are not used until it has come to them",
}


class ClockJumps:
    """Counts and logs them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._log: Final = get_logger()
        self._jumps: Final = Counter(
            f"{PREFIX}_clock_jumps",
            "Jumps of the wall clock beside the monotonic one, of two seconds or more.",
            ("direction",),
            registry=registry,
        )
        for direction in _COSTS:
            self._jumps.labels(direction)

    def jumped(self, seconds: float) -> None:
        """The wall clock jumped forward, or back if seconds < 0."""
        direction = "forward" if seconds > 0 else "back"
        self._jumps.labels(direction).inc()
        self._log.warning("wall clock jumped", seconds=round(seconds, 1), costs=_COSTS[direction])
