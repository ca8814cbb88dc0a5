"""Live traffic: how fast each model's pool is now, whether it fails, and how much it has in flight.

Everything is a function of batches: what one worker has seen in a moment. Workers apply each other's batches
in one order (`process.shared_traffic`), so they agree. A worker alone applies its own at once. Without any
answer nothing is known, and the configuration decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from router_extproc.clock import Clock
from router_extproc.routing.traffic.answers import KEYS_MAX, AnswerSeen, Batch
from router_extproc.routing.traffic.health import OPEN, PROBE_S, Health, Outcome
from router_extproc.routing.traffic.load import Load
from router_extproc.routing.traffic.snapshot import Factors, ModelTraffic
from router_extproc.routing.traffic.sums import Speed, Sums, half

#: Speeds by which models are compared change no more often than that: so a step in latency changes the
#: preferred model at most twice a minute, whatever follows from it.
REDRAW_S: Final = 30.0
#: … and only when one of them has changed by that factor, either way,
CHANGED_BY: Final = 1.25
#: How often it is looked whether they have.
LOOK_S: Final = 0.5
#: … over more than one answer. A first look needs but one.
ANSWERS_MIN: Final = 1.5
#: From the first sign of a change to the look: then answers from before it no longer blur what is seen.
SETTLE_S: Final = 5.0
#: How many times as soon as in the sums an answer counts half there;
RECENT_FASTER: Final = 6.0
#: from so many recent answers on, what was before a change is forgotten.
RECENT_MIN: Final = 5.0
_MS: Final = 0.001


@dataclass(slots=True)
class _Known:
    """Of one model and decision."""

    sums: Sums = field(default_factory=Sums)
    at_s: float = 0.0
    #: The same, mostly of the last seconds.
    recent: Sums = field(default_factory=Sums)

    def at(self, now_s: float) -> Sums:
        return self.sums.aged(now_s - self.at_s)

    def recent_at(self, now_s: float) -> Sums:
        return self.recent.aged(RECENT_FASTER * (now_s - self.at_s))

    def forget_before(self, now_s: float) -> None:
        """Keep what is recent alone, if it is enough to know the pool by."""
        recent = self.recent_at(now_s)
        if recent.answers >= RECENT_MIN:
            self.sums, self.recent, self.at_s = recent, recent, now_s


@dataclass(frozen=True, slots=True)
class Drawn:
    """By what a model is compared until the next look."""

    speed: Speed
    tokens: float | None
    load: float = 0.0


class LiveTraffic:
    """Live traffic of the models among which decisions choose."""

    def __init__(self, clock: Clock, models: Iterable[str] = (), factors: Factors | None = None) -> None:
        self._clock: Final = clock
        self.models: tuple[str, ...] = tuple(dict.fromkeys(models))
        self.factors = factors or Factors()
        self._known: Final[dict[tuple[str, str], _Known]] = {}
        self._health: Final[dict[str, Health]] = {}
        self._drawn: dict[str, Drawn] = {}
        self._drawn_s: float | None = None
        self._looked_s: float | None = None
        #: When the speeds were first seen to be others than those that are compared by; None: they are not.
        self._changed_s: float | None = None
        self._asked_s: Final[dict[str, float]] = {}
        #: When a model was last measured, and the weight of its answers then.
        self._measured: Final[dict[str, tuple[float, float]]] = {}
        self.load: Final = Load()
        self._batch = Batch()
        #: Whether other workers' batches come by, and the own ones with them.
        self.is_shared = False
        #: How often models were paused, by model and reason.
        self.pauses: Final[dict[tuple[str, str], int]] = {}
        #: How often the speeds that are compared by have changed.
        self.redrawn = 0

    def follow(self, models: Iterable[str], factors: Factors) -> None:
        """Other models or factors from now on; what is known of a model that stays is kept."""
        self.models, self.factors = tuple(dict.fromkeys(models)), factors
        for key in [key for key in self._known if key[0] not in self.models]:
            del self._known[key]
        for model in [model for model in self._health if model not in self.models]:
            del self._health[model]
        self._drawn = {model: drawn for model, drawn in self._drawn.items() if model in self.models}

    # ── what is seen ──────────────────────────────────────────────────────────────────────────

    def forwarded(self, model: str, at_s: float) -> None:
        """A request was sent to the model; `at_s`: wall clock."""
        if model in self.models:
            self.load.forwarded(model, at_s)
            self._asked_s[model] = self._clock.monotonic_s()

    def answered(self, seen: AnswerSeen) -> None:
        """An answer of the model has ended, or is known to fail."""
        if seen.model in self.models:
            self._batch.add(seen)
            if not self.is_shared:
                self.apply(self.take_batch(), self._clock.monotonic_s())

    def ended(self, model: str, forwarded_s: float) -> None:
        """A request that was sent to the model then (wall clock) is not in flight any more."""
        if model in self.models:
            self.load.answered(model, forwarded_s)

    def take_batch(self) -> Batch:
        """What was seen here since the last call."""
        batch, self._batch = self._batch, Batch()
        return batch

    def apply(self, batch: Batch, at_s: float) -> None:
        """Take a batch of any worker over; `at_s`: monotonic, when it was taken."""
        for (model, decision), sums in islice(batch.sums.items(), KEYS_MAX):
            self._add(model, decision, sums, at_s)
        for model, outcome, count, retry_after_s in batch.runs:
            self._judge(model, outcome, count, retry_after_s, at_s)
        is_new = any(model not in self._drawn for model, _ in batch.sums)
        if is_new or self._looked_s is None or at_s - self._looked_s >= LOOK_S:
            self._looked_s = at_s
            self._redraw(at_s)

    def _add(self, model: str, decision: str, sums: Sums, at_s: float) -> None:
        key = model, decision
        if model not in self.models or (key not in self._known and len(self._known) >= KEYS_MAX):
            return
        known = self._known.setdefault(key, _Known())
        before = known.at(at_s)
        if at_s - known.at_s >= REDRAW_S:
            # It was left: what it was before must not outweigh the few requests that try it again.
            before = before.at_most(1.0)
        known.recent = known.recent_at(at_s) + sums
        known.sums, known.at_s = before + sums, max(at_s, known.at_s)
        if sums.known:
            self._measured[model] = at_s, self._weight(model, at_s) + sums.answers

    def _judge(
        self, model: str, outcome: Outcome, count: int, retry_after_s: float | None, at_s: float
    ) -> None:
        if model not in self.models or (outcome == "failed" and not self.factors.errors):
            return
        if outcome == "limited" and not self.factors.rate_limits:
            return
        before = self._health.get(model, OPEN)
        after = before.after(outcome, count, at_s, retry_after_s)
        if after.state(at_s) == "paused" and before.state(at_s) != "paused":
            self.pauses[model, after.reason] = self.pauses.get((model, after.reason), 0) + 1
        self._health[model] = after

    # ── what is compared ──────────────────────────────────────────────────────────────────────

    def sums_of(self, model: str, now_s: float) -> Sums:
        """Of all decisions together."""
        whole = Sums()
        for (name, _), known in self._known.items():
            if name == model:
                whole += known.at(now_s)
        return whole

    def _redraw(self, now_s: float) -> None:
        """Look at the speeds again, if they have changed and the last look is long enough ago."""
        measured = {model: self.sums_of(model, now_s) for model in self.models}
        first = {model: sums for model, sums in measured.items() if sums.known and model not in self._drawn}
        loads = self.load.of(self.models, self._clock.wall_s())
        self._drawn |= {model: Drawn(sums.speed, sums.tokens, loads[model]) for model, sums in first.items()}
        changed = [model for model, sums in measured.items() if self._has_changed(model, sums)]
        if not self._is_time(now_s, changed):
            return
        for (model, _), known in self._known.items():
            if model in changed:
                known.forget_before(now_s)
        measured |= {model: self.sums_of(model, now_s) for model in changed}
        now = {
            model: Drawn(sums.speed, sums.tokens, loads[model])
            for model, sums in measured.items()
            if sums.known
        }
        self._drawn |= now
        self._drawn_s, self._changed_s, self.redrawn = now_s, None, self.redrawn + 1

    def _is_time(self, now_s: float, changed: Sequence[str]) -> bool:
        """Whether a change has settled, and the last look is long enough ago.

        Of a pool that answers now and then no more is to be seen in a few seconds.
        """
        if not changed:
            self._changed_s = None
            return False
        if self._changed_s is None:
            self._changed_s = now_s
        is_busy = any(
            known.recent_at(now_s).answers >= RECENT_MIN
            for (model, _), known in self._known.items()
            if model in changed
        )
        if is_busy and now_s - self._changed_s < SETTLE_S:
            return False
        return self._drawn_s is None or now_s - self._drawn_s >= REDRAW_S

    def _has_changed(self, model: str, sums: Sums) -> bool:
        drawn = self._drawn.get(model)
        if drawn is None or sums.answers < ANSWERS_MIN:
            return False
        prompt, tokens = sums.prompt / max(1.0, sums.timed) * 1000, sums.tokens or 1.0
        before = drawn.speed.whole_s(prompt, tokens) + _MS
        after = sums.speed.whole_s(prompt, tokens) + _MS
        return not 1 / CHANGED_BY < after / before < CHANGED_BY

    def view(self) -> Mapping[str, ModelTraffic]:
        """What is known of every model now."""
        now_s = self._clock.monotonic_s()
        loads = self.load.of(self.models, self._clock.wall_s())
        return {model: self._of(model, now_s, loads[model]) for model in self.models}

    def _of(self, model: str, now_s: float, load: int) -> ModelTraffic:
        health, drawn = self._health.get(model, OPEN), self._drawn.get(model)
        state = health.state(now_s)
        asked_s = self._asked_s.get(model)
        is_probe_due = asked_s is None or not 0 <= now_s - asked_s < PROBE_S
        measured_s, _ = self._measured.get(model, (None, 0.0))
        is_old = measured_s is None or not 0 <= now_s - measured_s < REDRAW_S
        was_just_asked = asked_s is not None and 0 <= now_s - asked_s < REDRAW_S
        counts = drawn is not None and self.factors.latency
        return ModelTraffic(
            state,
            available=state == "open" or (state == "probing" and is_probe_due),
            speed=drawn.speed if drawn is not None and counts else None,
            tokens=drawn.tokens if drawn is not None else None,
            load=load if self.factors.load else 0,
            usual_load=drawn.load if drawn is not None and self.factors.load else 0.0,
            unmeasured=self.factors.latency and is_old and not was_just_asked,
            answers=self._weight(model, now_s),
        )

    def _weight(self, model: str, now_s: float) -> float:
        at_s, weight = self._measured.get(model, (now_s, 0.0))
        return weight * half(now_s - at_s)

    # ── what is kept ──────────────────────────────────────────────────────────────────────────

    @property
    def known(self) -> Sequence[tuple[str, str]]:
        """Models and decisions of which something is known."""
        return tuple(self._known)

    def sums_at(self, key: tuple[str, str], now_s: float) -> Sums:
        """Of one model and decision."""
        return self._known[key].at(now_s)

    def sums_at_all(self, now_s: float) -> Iterator[tuple[tuple[str, str], Sums]]:
        """What is known now of each model and decision; aged only as it is asked for, which takes a while."""
        known = tuple((key, each.sums, now_s - each.at_s) for key, each in self._known.items())
        return ((key, sums.aged(by_s)) for key, sums, by_s in known)

    def health_of(self, model: str) -> Health:
        """Whether it takes traffic."""
        return self._health.get(model, OPEN)

    @property
    def drawn(self) -> Mapping[str, Drawn]:
        """By what models are compared."""
        return self._drawn

    def take_back(
        self, sums: Mapping[tuple[str, str], Sums], pauses: Mapping[str, Health], drawn: Mapping[str, Drawn]
    ) -> None:
        """Take a whole state over in place of the own one: of another worker, or from before a restart."""
        now_s = self._clock.monotonic_s()
        self._known.clear()
        self._health.clear()
        for (model, decision), each in islice(sums.items(), KEYS_MAX):
            self._add(model, decision, each, now_s)
        self._health.update({model: health for model, health in pauses.items() if model in self.models})
        self._drawn = {model: each for model, each in drawn.items() if model in self.models}
        self._drawn_s = now_s if self._drawn else None
