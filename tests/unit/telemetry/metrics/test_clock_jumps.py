"""Jumps of the wall clock are counted from zero, and logged."""

from __future__ import annotations

import pytest
from prometheus_client import CollectorRegistry

from router_extproc.telemetry.metrics.clock_jumps import ClockJumps


@pytest.mark.parametrize(("seconds", "direction"), [(3600.0, "forward"), (-3600.0, "back")])
def test_jumps_are_counted_by_direction(seconds: float, direction: str) -> None:
    registry = CollectorRegistry()

    def counted(name: str) -> float | None:
        return registry.get_sample_value("router_extproc_clock_jumps_total", {"direction": name})

    jumps = ClockJumps(registry)
    assert (counted("forward"), counted("back")) == (0, 0)
    jumps.jumped(seconds)
    assert counted(direction) == 1
    assert (counted("forward") or 0) + (counted("back") or 0) == 1
