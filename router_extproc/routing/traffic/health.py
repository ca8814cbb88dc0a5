"""Whether a model takes traffic: it is paused when it fails or refuses, and wins its traffic back by probes.

A paused model gets no request that another candidate can take. When its pause is over it gets one request in
PROBE_S; PROBES successes in a row end that, and a failure pauses it for twice as long, up to PAUSE_MAX_S.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

#: "limited": it answered 429.
Outcome: TypeAlias = Literal["ok", "failed", "limited"]
State: TypeAlias = Literal["open", "paused", "probing"]
OUTCOMES: Final[tuple[Outcome, ...]] = ("ok", "failed", "limited")

#: Failures in a row that pause a model.
FAILURES_MAX: Final = 3
PAUSE_MIN_S: Final = 2.0
#: Also the longest `retry-after` that is believed.
PAUSE_MAX_S: Final = 60.0
#: Between two requests to a model whose pause is over.
PROBE_S: Final = 0.5
#: Of these that must succeed.
PROBES: Final = 3


@dataclass(frozen=True, slots=True)
class Health:
    """One model's; times are monotonic."""

    #: Failures since its last success.
    failures: int = 0
    #: None: it is open.
    paused_until_s: float | None = None
    #: Of the latest pause; 0: there was none since it was open for good.
    pause_s: float = 0.0
    #: Successes since the pause.
    probes: int = 0
    reason: Outcome = "ok"

    def state(self, now_s: float) -> State:
        """Whether it takes every request, none, or probes."""
        if self.paused_until_s is None:
            return "open"
        return "paused" if now_s < self.paused_until_s else "probing"

    def after(self, outcome: Outcome, count: int, now_s: float, retry_after_s: float | None = None) -> Health:
        """The health after so many answers of one kind in a row."""
        if outcome == "ok":
            return self._succeeded(count, now_s)
        failures = self.failures + count
        state = self.state(now_s)
        if state == "paused" and outcome != "limited":
            # Answers to requests that were on their way when it was paused.
            return replace(self, failures=failures)
        if outcome == "failed" and state == "open" and failures < FAILURES_MAX:
            return replace(self, failures=failures)
        pause_s = min(PAUSE_MAX_S, 2 * self.pause_s) if state == "probing" else PAUSE_MIN_S
        if outcome == "limited" and retry_after_s is not None:
            pause_s = min(PAUSE_MAX_S, max(PAUSE_MIN_S, retry_after_s))
        until_s = max(now_s + pause_s, self.paused_until_s or 0.0)
        return Health(failures, until_s, pause_s, 0, outcome)

    def _succeeded(self, count: int, now_s: float) -> Health:
        if self.paused_until_s is None:
            return OPEN
        if self.state(now_s) == "paused":
            return replace(self, failures=0)
        probes = self.probes + count
        return OPEN if probes >= PROBES else replace(self, failures=0, probes=probes)


OPEN: Final = Health()
