"""What a simulation shows: by selection, phase and model, and how soon traffic followed each event."""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Final

from router_extproc.simulation.asks import SimulatedAsk, draw_asks
from router_extproc.simulation.run import Served, serve_asks
from router_extproc.simulation.scenario import Event, Happening, Scenario

#: Requests by which it is told where traffic goes.
RECENT: Final = 10
_MINUTE_S: Final = 60.0
#: What is less is an error of the addition.
_DIGITS: Final = 9


@dataclass(frozen=True, slots=True)
class Figures:
    """Of some requests; a number that there is none of is None."""

    requests: int
    #: They got an error in place of an answer.
    lost: int
    #: Their answers had begun when the pool died.
    cut_off: int
    #: From the request to the end of the answer.
    p50_s: float | None
    p95_s: float | None
    #: In the currency of the scenario.
    cost: float
    #: Mean of the answers'.
    quality: float | None


@dataclass(frozen=True, slots=True)
class ModelFigures:
    """Of the requests that one model answered, or failed last."""

    model: str
    #: Of the requests of the phase.
    share: float
    figures: Figures


@dataclass(frozen=True, slots=True)
class Phase:
    """Between two events; requests count where they began."""

    from_s: float
    to_s: float
    figures: Figures
    models: tuple[ModelFigures, ...]


@dataclass(frozen=True, slots=True)
class Followed:
    """An event, and when traffic followed."""

    at_s: float
    model: str
    happens: Happening
    #: Until of ten requests fewer than a quarter as many asked it first as before; None: none did before, or
    #: it was never left.
    left_after_s: float | None
    #: Of a recovery: until of ten requests half as many asked it first as before the trouble.
    back_after_s: float | None


@dataclass(frozen=True, slots=True)
class SelectionReport:
    """One selection's run."""

    selection: str
    figures: Figures
    #: How often most of the last ten requests asked another model first than before. Single requests by which
    #: `fastest` measures a pool or relieves another one do not count.
    preferred_changes: int
    #: The most of them in any minute.
    preferred_changes_in_a_minute: int
    phases: tuple[Phase, ...]
    events: tuple[Followed, ...]


@dataclass(frozen=True, slots=True)
class SimulationReport:
    """All selections' runs over the same requests."""

    seed: int
    duration_s: float
    selections: tuple[SelectionReport, ...]


@dataclass(frozen=True, slots=True)
class Simulated:
    """The report, and what it was counted from."""

    report: SimulationReport
    scenario: Scenario
    #: By selection.
    served: dict[str, list[Served]]


def simulate(
    scenario: Scenario, seed: int | None = None, done: Callable[[str], None] = lambda _: None
) -> Simulated:
    """Run a scenario; `seed` in place of its own, `done` hears of each selection that has run."""
    drawn_from = scenario.seed if seed is None else seed
    asks: Sequence[SimulatedAsk] = list(draw_asks(scenario, drawn_from))
    served = {}
    for name, selection in scenario.selections.items():
        served[name] = serve_asks(scenario, selection, asks)
        done(name)
    reports = tuple(_report(name, scenario, run) for name, run in served.items())
    return Simulated(SimulationReport(drawn_from, scenario.duration_s, reports), scenario, served)


def quantile(values: Iterable[float], share: float) -> float | None:
    """By nearest rank; None: of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else None


def _report(name: str, scenario: Scenario, run: Sequence[Served]) -> SelectionReport:
    changes = preferred_changes(run)
    return SelectionReport(
        name,
        _figures(run),
        len(changes),
        _most_in_a_minute(changes),
        tuple(_phases(scenario, run)),
        tuple(_followed(event, scenario, run) for event in scenario.happenings),
    )


def _figures(run: Sequence[Served]) -> Figures:
    results = Counter(each.result for each in run)
    answered = [each for each in run if each.result == "answered"]
    latencies = [each.latency_s for each in answered]
    qualities = [each.ask.qualities[each.model] for each in answered]
    return Figures(
        len(run),
        results["lost"],
        results["cut_off"],
        _rounded(quantile(latencies, 0.5)),
        _rounded(quantile(latencies, 0.95)),
        round(sum(each.cost for each in run), _DIGITS),
        _rounded(fmean(qualities)) if qualities else None,
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DIGITS)


def _phases(scenario: Scenario, run: Sequence[Served]) -> Iterable[Phase]:
    borders = sorted({0.0, scenario.duration_s, *(event.at_s for event in scenario.events)})
    for from_s, to_s in pairwise(borders):
        inside = [each for each in run if from_s <= each.ask.at_s < to_s]
        models = []
        for model in scenario.models:
            own = [each for each in inside if each.model == model]
            share = round(len(own) / len(inside), _DIGITS) if inside else 0.0
            models.append(ModelFigures(model, share, _figures(own)))
        yield Phase(from_s, to_s, _figures(inside), tuple(models))


# ── where traffic goes ────────────────────────────────────────────────────────────────────────


def preferred_changes(run: Sequence[Served]) -> list[float]:
    """When most of the last ten requests asked another model first than before."""
    recent: deque[str] = deque(maxlen=RECENT)
    preferred, changes = None, []
    for each in run:
        if each.is_aside:
            continue
        recent.append(each.first)
        model, count = Counter(recent).most_common(1)[0]
        if count <= RECENT / 2 or model == preferred:
            continue
        if preferred is not None:
            changes.append(each.ask.at_s)
        preferred = model
    return changes


def _most_in_a_minute(changes: Sequence[float]) -> int:
    return max((sum(0 <= later - at_s < _MINUTE_S for later in changes) for at_s in changes), default=0)


def _followed(event: Event, scenario: Scenario, run: Sequence[Served]) -> Followed:
    left = back = None
    if event.happens == "recovery":
        usual = _recent_before(_first_trouble(event, scenario), event.model, run)
        back = _wait(event, run, lambda count: count >= usual / 2) if usual else None
    elif before := _recent_before(event.at_s, event.model, run):
        left = _wait(event, run, lambda count: count < before / 4)
    return Followed(event.at_s, event.model, event.happens, _rounded(left), _rounded(back))


def _first_trouble(event: Event, scenario: Scenario) -> float:
    """When the trouble began that this recovery ends."""
    began_s = event.at_s
    for earlier in scenario.happenings:
        if earlier.model != event.model or earlier.at_s >= event.at_s:
            continue
        began_s = event.at_s if earlier.happens == "recovery" else min(began_s, earlier.at_s)
    return began_s


def _recent_before(at_s: float, model: str, run: Sequence[Served]) -> int:
    """Of the last ten requests before, how many asked the model first."""
    before = [each.first for each in run if each.ask.at_s < at_s][-RECENT:]
    return before.count(model)


def _wait(event: Event, run: Sequence[Served], holds: Callable[[int], bool]) -> float | None:
    """Seconds from the event to the first ten requests of which it holds; None: there are none."""
    later = [each for each in run if each.ask.at_s >= event.at_s]
    for place in range(len(later) - RECENT + 1):
        window = later[place : place + RECENT]
        if holds(sum(each.first == event.model for each in window)):
            return window[0].ask.at_s - event.at_s
    return None
