"""Circuit breaker of a slow cache backend: after several time-outs in a row, lookups skip it for a while.

A lookup that times out costs its request the whole budget of the cache stage. With the breaker that
happens a few times, and then once for each pause.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto
from typing import Final

from router_extproc.clock import Backoff, Clock

#: Lookups in a row that were late before the first pause: one or two may be chance.
LATE_MAX: Final = 5
#: How long lookups skip the backend: longer each time that the lookup after a pause is late again.
PAUSES: Final = Backoff(first_s=1.0, max_s=30.0)


class Circuit(Enum):
    """The state of the circuit."""

    #: Every lookup asks.
    CLOSED = "closed"
    #: No lookup asks.
    OPEN = "open"
    #: One lookup asks, the others do not.
    HALF_OPEN = "half-open"


class Event(Enum):
    """What happens to it."""

    ANSWERED = auto()
    LATE = auto()
    #: LATE for the LATE_MAX-th time in a row.
    LATE_TOO_OFTEN = auto()
    PAUSE_OVER = auto()


#: Nothing else changes it.
TRANSITIONS: Final = {
    (Circuit.CLOSED, Event.ANSWERED): Circuit.CLOSED,
    (Circuit.CLOSED, Event.LATE): Circuit.CLOSED,
    (Circuit.CLOSED, Event.LATE_TOO_OFTEN): Circuit.OPEN,
    (Circuit.CLOSED, Event.PAUSE_OVER): Circuit.CLOSED,
    # Calls from before the pause end in it: they say nothing of what comes after it.
    (Circuit.OPEN, Event.ANSWERED): Circuit.OPEN,
    (Circuit.OPEN, Event.LATE): Circuit.OPEN,
    (Circuit.OPEN, Event.LATE_TOO_OFTEN): Circuit.OPEN,
    (Circuit.OPEN, Event.PAUSE_OVER): Circuit.HALF_OPEN,
    (Circuit.HALF_OPEN, Event.ANSWERED): Circuit.CLOSED,
    (Circuit.HALF_OPEN, Event.LATE): Circuit.OPEN,
    (Circuit.HALF_OPEN, Event.LATE_TOO_OFTEN): Circuit.OPEN,
    (Circuit.HALF_OPEN, Event.PAUSE_OVER): Circuit.HALF_OPEN,
}


class Breaker:
    """The circuit breaker of one backend."""

    def __init__(self, clock: Clock, tell_paused: Callable[[bool], None]) -> None:
        """`tell_paused` gets True when lookups begin to skip the backend, False when they no longer do."""
        self._clock: Final = clock
        self._tell_paused: Final = tell_paused
        self._circuit = Circuit.CLOSED
        self._late = 0
        self._pause_s = 0.0
        self._opened_at_s = 0.0
        #: When the lookup began that tries it; None: none does.
        self._tried_at_s: float | None = None

    def allows(self) -> bool:
        """True: ask the backend, then report how that ended; False: skip it."""
        now_s = self._clock.monotonic_s()
        if self._circuit is Circuit.OPEN and now_s - self._opened_at_s >= self._pause_s:
            self._enter(Event.PAUSE_OVER)
        return self._circuit is Circuit.CLOSED or (
            self._circuit is Circuit.HALF_OPEN and self._may_try(now_s)
        )

    def answered(self) -> None:
        """The backend answered in time."""
        self._late = 0
        if self._enter(Event.ANSWERED) is Circuit.HALF_OPEN:
            self._pause_s = 0.0
            self._tell_paused(False)

    def failed(self) -> None:
        """The backend failed at once: that says nothing of its speed, and another lookup may try."""
        self._tried_at_s = None

    def late(self) -> None:
        """The lookup timed out."""
        self._late += 1
        before = self._enter(Event.LATE_TOO_OFTEN if self._late >= LATE_MAX else Event.LATE)
        if self._circuit is not Circuit.OPEN or before is Circuit.OPEN:
            return
        self._opened_at_s = self._clock.monotonic_s()
        self._pause_s = PAUSES.after(self._pause_s)
        if before is Circuit.CLOSED:
            self._tell_paused(True)

    def _may_try(self, now_s: float) -> bool:
        # A lookup that never reports how it ended is replaced after a pause.
        if self._tried_at_s is not None and now_s - self._tried_at_s < self._pause_s:
            return False
        self._tried_at_s = now_s
        return True

    def _enter(self, event: Event) -> Circuit:
        """Change the state; returns the one before."""
        before, self._circuit = self._circuit, TRANSITIONS[self._circuit, event]
        self._tried_at_s = None
        return before
