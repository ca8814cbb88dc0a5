"""A made-up pool: how long it takes, how many requests at once, and how it fails."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from router_extproc.simulation.asks import SimulatedAsk
from router_extproc.simulation.clock import SimulatedClock
from router_extproc.simulation.scenario import Event, Happening, SimulatedModel

#: How long a pool takes to answer that it cannot, or will not.
_REFUSAL_S: Final = 0.02

#: Why a pool did not begin to answer, in the words of `failover.on`.
Trouble: TypeAlias = Literal["refused", "rate_limited", "failed"]


@dataclass(eq=False, slots=True)
class Attempt:
    """One request at one pool. Whoever sends it is told how it went, once."""

    ask: SimulatedAsk
    sent_s: float
    began: Callable[[], None]
    answered: Callable[[Attempt], None]
    #: It did not begin to answer.
    failed: Callable[[Attempt, Trouble], None]
    #: It broke off after its first byte.
    cut_off: Callable[[Attempt], None]
    #: When the first byte came.
    begun_s: float | None = None
    timed_out: bool = False
    retry_after_s: float | None = None
    over: bool = False


@dataclass(slots=True)
class SimulatedPool:
    """One model's pool in simulated time."""

    model: SimulatedModel
    clock: SimulatedClock
    timeout_s: float
    state: Happening = "recovery"
    factor: float = 1.0
    retry_after_s: float | None = None
    #: In the order in which they were taken up.
    _served: dict[Attempt, None] = field(default_factory=dict)
    _waiting: deque[Attempt] = field(default_factory=deque)

    @property
    def is_alive(self) -> bool:
        """Whether it answers a probe."""
        return self.state != "outage"

    def happen(self, event: Event) -> None:
        """Change its state; in an outage everything on its way ends."""
        self.state, self.factor, self.retry_after_s = event.happens, event.factor, event.retry_after_s
        if self.state == "outage":
            ended = [*self._served, *self._waiting]
            self._served.clear()
            self._waiting.clear()
            for attempt in ended:
                self._break_off(attempt)

    def take(self, attempt: Attempt) -> None:
        """Answer it, let it wait, or not."""
        match self.state:
            case "outage":
                self._fail(attempt, "refused")
            case "failing":
                self.clock.after(_REFUSAL_S, lambda: self._fail(attempt, "failed"))
            case "rate_limited":
                attempt.retry_after_s = self.retry_after_s
                self.clock.after(_REFUSAL_S, lambda: self._fail(attempt, "rate_limited"))
            case "silent" | "slow" | "recovery":
                self.clock.after(self.timeout_s, lambda: self._time_out(attempt))
                if self.state != "silent":
                    self._waiting.append(attempt)
                    self._serve()

    def _serve(self) -> None:
        """Take up what waits, as far as there is room."""
        while self._waiting and len(self._served) < self.model.capacity:
            attempt = self._waiting.popleft()
            self._served[attempt] = None
            slowness = self.factor * attempt.ask.slowness
            ttft_s = slowness * self.model.ttft_s
            writing_s = slowness * self.model.s_per_token * attempt.ask.answer_tokens
            self.clock.after(ttft_s, lambda attempt=attempt: self._begin(attempt))  # type: ignore[misc]  # mypy knows no default of a lambda
            self.clock.after(ttft_s + writing_s, lambda attempt=attempt: self._end(attempt))  # type: ignore[misc]  # likewise

    def _begin(self, attempt: Attempt) -> None:
        if not attempt.over:
            attempt.begun_s = self.clock.monotonic_s()
            attempt.began()

    def _end(self, attempt: Attempt) -> None:
        if attempt.over:
            return
        attempt.over = True
        del self._served[attempt]
        attempt.answered(attempt)
        self._serve()

    def _time_out(self, attempt: Attempt) -> None:
        if attempt.over or attempt.begun_s is not None:
            return
        self._served.pop(attempt, None)
        if attempt in self._waiting:
            self._waiting.remove(attempt)
        attempt.timed_out = True
        self._fail(attempt, "failed")
        self._serve()

    def _break_off(self, attempt: Attempt) -> None:
        if attempt.begun_s is None:
            self._fail(attempt, "failed")
        else:
            attempt.over = True
            attempt.cut_off(attempt)

    def _fail(self, attempt: Attempt, trouble: Trouble) -> None:
        attempt.over = True
        attempt.failed(attempt, trouble)
