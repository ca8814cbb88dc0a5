"""Live traffic as a value that workers share, and that is kept over a restart.

Each worker tells what it has seen since the last round, as sums, with the time by the clock that all
processes of a machine have in common. A message is believed as far as it is plausible: configured models,
numbers that are not negative, times that are not in the future.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Final

from router_extproc.clock import Clock
from router_extproc.llm.answer import JsonObject, JsonValue
from router_extproc.routing.traffic.answers import Batch
from router_extproc.routing.traffic.health import OUTCOMES, PAUSE_MAX_S, Health, Outcome
from router_extproc.routing.traffic.live import Drawn, LiveTraffic
from router_extproc.routing.traffic.sums import Speed, Sums

#: A batch that was longer on its way is taken as if it came from then.
LATE_MAX_S: Final = 10.0
_COUNT_MAX: Final = 1_000_000


class SharedTraffic:
    """Fits process.sharing.SharedValue."""

    name = "traffic"
    everywhere = True

    def __init__(self, live: LiveTraffic, clock: Clock, *, worker: int, alone: bool) -> None:
        """`alone`: there is no other worker, so every answer counts as it is seen."""
        self._live: Final = live
        self._clock: Final = clock
        self._worker: Final = worker
        live.is_shared = not alone

    def collect(self) -> list[JsonValue]:
        """See SharedValue."""
        changes = self._live.load.unsent()
        if not self._live.is_shared:
            return []
        batch = self._live.take_batch()
        if not batch.sums and not batch.runs and not changes:
            return []
        sums: list[JsonValue] = [[*key, list(each.values)] for key, each in batch.sums.items()]
        runs: list[JsonValue] = [list(run) for run in batch.runs]
        load: list[JsonValue] = [list(change) for change in changes]
        at_s = self._clock.monotonic_s()
        return [{"worker": self._worker, "at": at_s, "sums": sums, "runs": runs, "load": load}]

    def apply(self, event: JsonValue) -> None:
        """See SharedValue."""
        match event:
            case {
                "worker": int(worker),
                "at": at,
                "sums": list(sums),
                "runs": list(runs),
                "load": flying,
            }:
                batch = Batch(dict(map(_sums_of, sums)), [_run_of(run) for run in runs])
                changes = [_change_of(each) for each in flying] if isinstance(flying, list) else []
                self._live.apply(batch, self._when(at))
                if worker != self._worker:
                    self._live.load.add(changes)
            case _:
                raise ValueError("no batch of traffic")

    def _when(self, at: JsonValue) -> float:
        now_s = self._clock.monotonic_s()
        at_s = _number(at)
        return min(now_s, max(now_s - LATE_MAX_S, at_s))

    def kept(self) -> dict[str, object]:
        """See SharedValue; times are how long ago, and when that was."""
        live, now_s = self._live, self._clock.monotonic_s()
        sums = ([*key, list(each.values)] for key, each in live.sums_at_all(now_s))
        health = {model: live.health_of(model) for model in live.models}
        paused: JsonObject = {
            model: _pause(each, now_s) for model, each in health.items() if each.reason != "ok"
        }
        drawn: JsonObject = {model: _drawn(each) for model, each in live.drawn.items()}
        return {"wall": round(self._clock.wall_s()), "sums": sums, "paused": paused, "drawn": drawn}

    def take_back(self, kept: JsonValue) -> None:
        """See SharedValue; what is kept has aged by the wall clock meanwhile."""
        match kept:
            case {"wall": wall, "sums": list(sums), "paused": dict(paused), "drawn": dict(drawn)}:
                ago_s = max(0.0, self._clock.wall_s() - _number(wall))
                aged = {key: each.aged(ago_s) for key, each in map(_sums_of, sums)}
                now_s = self._clock.monotonic_s()
                pauses = dict(_pauses_of(paused, now_s - ago_s))
                self._live.take_back(aged, pauses, {model: _drawn_of(each) for model, each in drawn.items()})
            case _:
                raise ValueError("no traffic")


def _pause(health: Health, now_s: float) -> JsonValue:
    left_s = (health.paused_until_s or now_s) - now_s
    return {"left_s": left_s, "pause_s": health.pause_s, "failures": health.failures, "reason": health.reason}


def _pauses_of(paused: Mapping[str, JsonValue], since_s: float) -> Iterator[tuple[str, Health]]:
    for model, kept in paused.items():
        match kept:
            case {"left_s": left, "pause_s": pause, "failures": int(failures), "reason": reason}:
                left_s = min(PAUSE_MAX_S, _number(left))
                pause_s = min(PAUSE_MAX_S, max(0.0, _number(pause)))
                until_s = since_s + left_s
                yield model, Health(max(0, failures), until_s, pause_s, 0, _outcome(reason))
            case _:
                raise ValueError("no pause")


def _drawn(drawn: Drawn) -> JsonValue:
    speed = asdict(drawn.speed)
    return {"speed": list(speed.values()), "tokens": drawn.tokens, "load": drawn.load}


def _drawn_of(kept: JsonValue) -> Drawn:
    match kept:
        case {"speed": [first, prompt, token], "tokens": tokens, "load": load}:
            speed = Speed(*(max(0.0, _number(each)) for each in (first, prompt, token)))
            return Drawn(
                speed, None if tokens is None else max(0.0, _number(tokens)), max(0.0, _number(load))
            )
    raise ValueError("no speed")


def _sums_of(kept: JsonValue) -> tuple[tuple[str, str], Sums]:
    match kept:
        case [str(model), str(decision), list(values)]:
            return (model, decision), Sums.of(values)
    raise ValueError("no sums")


def _run_of(kept: JsonValue) -> tuple[str, Outcome, int, float | None]:
    match kept:
        case [str(model), outcome, int(count), retry_after]:
            wait_s = None if retry_after is None else max(0.0, _number(retry_after))
            return model, _outcome(outcome), min(_COUNT_MAX, max(1, count)), wait_s
    raise ValueError("no outcomes")


def _change_of(kept: JsonValue) -> tuple[str, int, int]:
    match kept:
        case [str(model), int(time), int(count)] if abs(count) <= _COUNT_MAX:
            return model, time, count
    raise ValueError("no requests in flight")


def _outcome(value: JsonValue) -> Outcome:
    for outcome in OUTCOMES:
        if value == outcome:
            return outcome
    raise ValueError("no outcome")


def _number(value: JsonValue) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("must be a number")
    return float(value)
