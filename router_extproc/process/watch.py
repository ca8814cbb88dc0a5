"""When a process that should give signs of life has been silent for too long.

Pure: time comes from the clock that is handed in. Silence is added up from what the watcher itself lived
through, so a watcher that was stopped (a suspended machine, SIGSTOP to the whole group, no processor time)
blames nobody for the time it missed.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from router_extproc.clock import Clock

#: Between two signs of life, and between two looks at them.
BEAT_S: Final = 1.0
#: One look counts for no more: longer, and it was the watcher that stood still.
STEP_MAX_S: Final = 2 * BEAT_S


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a process may be silent, in seconds."""

    #: From its start to its first sign: models are loaded, and a busy machine takes minutes for it.
    start_s: float = 300.0
    #: Afterwards. The event loop never rests for a second on purpose; Envoy leaves a frozen worker alone
    #: within two, so nobody is served sooner by a shorter wait.
    silent_s: float = 10.0


class Silence(Enum):
    """What a look found."""

    #: Not too long yet.
    ACCEPTED = auto()
    #: It never got ready.
    NEVER_READY = auto()
    #: It was ready, and does not move any more.
    FROZEN = auto()


class Watch:
    """Adds up the silence of one process, from its start on."""

    def __init__(self, clock: Clock, patience: Patience) -> None:
        self._clock: Final = clock
        self._patience: Final = patience
        self._seen_s = clock.monotonic_s()
        self.silent_s = 0.0
        self.is_ready = False

    def look(self, *, heard: bool) -> Silence:
        """Take note of the time since the last look, in which it was heard or not."""
        now_s = self._clock.monotonic_s()
        passed_s, self._seen_s = min(now_s - self._seen_s, STEP_MAX_S), now_s
        if heard:
            self.is_ready, self.silent_s = True, 0.0
            return Silence.ACCEPTED
        self.silent_s += passed_s
        if self.is_ready:
            return Silence.FROZEN if self.silent_s >= self._patience.silent_s else Silence.ACCEPTED
        return Silence.NEVER_READY if self.silent_s >= self._patience.start_s else Silence.ACCEPTED
