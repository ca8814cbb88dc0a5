"""A clock that tests move by hand."""

from __future__ import annotations


class ManualClock:
    """Stands still until `advance` is called."""

    def __init__(self, *, wall_s: float = 1_700_000_000.0) -> None:
        self._monotonic_s = 0.0
        self._wall_s = wall_s

    def monotonic_s(self) -> float:
        """See clock.Clock."""
        return self._monotonic_s

    def wall_s(self) -> float:
        """See clock.Clock."""
        return self._wall_s

    def advance(self, seconds: float) -> None:
        """Move both clocks on; seconds >= 0."""
        self._monotonic_s += seconds
        self._wall_s += seconds

    def set_wall_on(self, seconds: float) -> None:
        """Let the wall clock jump, back if seconds < 0; the monotonic one does not see it."""
        self._wall_s += seconds
