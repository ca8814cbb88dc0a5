"""The backend's health: opening, ready or lost, and whether it takes writes. Changes go to a listener.

The listener logs and measures. What it gets is safe to show: no question, no answer, no credential.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum, auto
from typing import Final, Literal, Protocol

from router_extproc.clock import Clock

#: Why the backend failed. Metric labels.
Trouble = Literal["unreachable", "refused", "tls", "timeout", "full", "mismatch", "in-use", "broken", "other"]
TROUBLES: Final[tuple[Trouble, ...]] = (
    "unreachable",
    "refused",
    "tls",
    "timeout",
    "full",
    "mismatch",
    "in-use",
    "broken",
    "other",
)
#: What is asked of a backend. Metric labels.
Operation = Literal["open", "get", "search", "write", "purge", "scan", "count", "listen"]
OPERATIONS: Final[tuple[Operation, ...]] = (
    "open",
    "get",
    "search",
    "write",
    "purge",
    "scan",
    "count",
    "listen",
)
#: Why a lookup did not ask the backend: too many others do, or it was too slow for them. Metric labels.
SkipReason = Literal["busy", "paused"]
SKIP_REASONS: Final[tuple[SkipReason, ...]] = ("busy", "paused")
#: Writes that fail in a row before it is said that the backend takes none: one may be chance.
WRITES_FAILED_MAX: Final = 2


class Phase(Enum):
    """The state of the connection."""

    OPENING = "opening"
    READY = "ready"
    LOST = "lost"


class Event(Enum):
    """What happens to it."""

    OPENED = auto()
    #: It broke; opening it again begins at once.
    BROKE = auto()
    #: It could not be opened.
    FAILED = auto()


#: Nothing else changes the phase. A connection that breaks and opens again at once was never lost.
TRANSITIONS: Final = {
    (Phase.OPENING, Event.OPENED): Phase.READY,
    (Phase.OPENING, Event.BROKE): Phase.OPENING,
    (Phase.OPENING, Event.FAILED): Phase.LOST,
    (Phase.READY, Event.OPENED): Phase.READY,
    (Phase.READY, Event.BROKE): Phase.OPENING,
    (Phase.READY, Event.FAILED): Phase.LOST,
    (Phase.LOST, Event.OPENED): Phase.READY,
    (Phase.LOST, Event.BROKE): Phase.LOST,
    (Phase.LOST, Event.FAILED): Phase.LOST,
}


@dataclass(frozen=True, slots=True)
class Health:
    """What an operator sees of the backend's health."""

    phase: Phase
    #: Since when, wall clock.
    since_s: float
    #: Why it is not ready; None while it is.
    trouble: Trouble | None = None
    reason: str = ""
    #: Why it takes no writes although it is ready; None: it does.
    writes_trouble: Trouble | None = None
    #: Lookups were late several times in a row, and are left out for a while.
    lookups_paused: bool = False


class BackendListener(Protocol):
    """Is told what becomes of the backend; every method is quick and never raises."""

    def lost(self, trouble: Trouble, reason: str) -> None:
        """Lookups miss beyond the near tier from now on, or again for another reason."""
        ...

    def ready(self, away_s: float | None) -> None:
        """It answers, after so many seconds; None: it was never lost."""
        ...

    def writes_refused(self, trouble: Trouble | None) -> None:
        """It is ready and takes no writes; None: it takes them again."""
        ...

    def called(self, operation: Operation, seconds: float, trouble: Trouble | None) -> None:
        """A call ended; None: well."""
        ...

    def lookups_paused(self, *, paused: bool) -> None:
        """It is too slow: lookups do not ask it for a while; False: they do again."""
        ...

    def skipped(self, reason: SkipReason) -> None:
        """A lookup did not ask."""
        ...

    def put_aside(self, folder: str, now: str) -> None:
        """The folder could not be read and has another name now; a new one is begun."""
        ...


class Unheard:
    """A listener that does nothing."""

    def lost(self, trouble: Trouble, reason: str) -> None:
        """See BackendListener."""

    def ready(self, away_s: float | None) -> None:
        """See BackendListener."""

    def writes_refused(self, trouble: Trouble | None) -> None:
        """See BackendListener."""

    def called(self, operation: Operation, seconds: float, trouble: Trouble | None) -> None:
        """See BackendListener."""

    def lookups_paused(self, *, paused: bool) -> None:
        """See BackendListener."""

    def skipped(self, reason: SkipReason) -> None:
        """See BackendListener."""

    def put_aside(self, folder: str, now: str) -> None:
        """See BackendListener."""


class BackendWatch:
    """Keeps the health of one backend; tells every change once."""

    def __init__(self, clock: Clock, listener: BackendListener | None = None) -> None:
        self._clock: Final = clock
        self.listener: Final = listener or Unheard()
        self._health = Health(Phase.OPENING, clock.wall_s())
        self._lost_at_s: float | None = None
        #: Troubles of this loss that the listener knows.
        self._told: set[Trouble] = set()
        self._opened_before = False
        self._writes_failed = 0

    @property
    def health(self) -> Health:
        """The health now."""
        return self._health

    def opened(self) -> None:
        """The connection was made."""
        before = self._enter(Event.OPENED, None, "")
        if before is Phase.READY or (before is Phase.OPENING and self._opened_before):
            return
        lost_at_s, self._lost_at_s, self._told = self._lost_at_s, None, set()
        self._opened_before = True
        self.listener.ready(None if lost_at_s is None else self._clock.monotonic_s() - lost_at_s)

    def broke(self, trouble: Trouble, reason: str) -> None:
        """The connection is closed, to be opened again at once."""
        self._enter(Event.BROKE, trouble, reason)

    def failed(self, trouble: Trouble, reason: str) -> None:
        """The connection could not be made; told once for each trouble."""
        self._enter(Event.FAILED, trouble, reason)
        if self._lost_at_s is None:
            self._lost_at_s = self._clock.monotonic_s()
        if trouble not in self._told:
            self._told.add(trouble)
            self.listener.lost(trouble, reason)

    def called(self, operation: Operation, seconds: float, trouble: Trouble | None) -> None:
        """A call ended; trouble None: it succeeded. Failing writes are reported, too."""
        self.listener.called(operation, seconds, trouble)
        if operation == "write":
            self._note_write(trouble)

    def timed(self, operation: Operation) -> Callable[[Trouble | None], None]:
        """What to call when a call that begins now has ended."""
        began_s = self._clock.monotonic_s()
        return lambda trouble: self.called(operation, self._clock.monotonic_s() - began_s, trouble)

    def pause_lookups(self, paused: bool) -> None:  # noqa: FBT001 - the one thing that is told
        """Lookups are left out from now on, or no longer."""
        self._health = replace(self._health, lookups_paused=paused)
        self.listener.lookups_paused(paused=paused)

    def skipped(self, reason: SkipReason) -> None:
        """A lookup did not ask."""
        self.listener.skipped(reason)

    def _note_write(self, trouble: Trouble | None) -> None:
        self._writes_failed = 0 if trouble is None else self._writes_failed + 1
        refused = self._health.writes_trouble is not None
        if trouble is None and refused:
            self._health = replace(self._health, writes_trouble=None)
            self.listener.writes_refused(None)
        elif trouble is not None and not refused and self._writes_failed >= WRITES_FAILED_MAX:
            self._health = replace(self._health, writes_trouble=trouble)
            self.listener.writes_refused(trouble)

    def _enter(self, event: Event, trouble: Trouble | None, reason: str) -> Phase:
        before = self._health.phase
        phase = TRANSITIONS[before, event]
        since_s = self._health.since_s if phase is before else self._clock.wall_s()
        self._health = replace(self._health, phase=phase, since_s=since_s, trouble=trouble, reason=reason)
        return before
