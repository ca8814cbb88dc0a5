"""Draws a simulation: where traffic went and how long answers took, or what quality costs.

It takes what was simulated and simulates nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from router_extproc.errors import ConfigError
from router_extproc.evaluation.picture import new_picture, save_picture
from router_extproc.simulation.report import Simulated, quantile
from router_extproc.simulation.run import Served
from router_extproc.simulation.scenario import Scenario

_WIDTH_INCHES: Final = 9.0
_ROW_INCHES: Final = 2.6
#: Further selections are in the table alone.
ROWS_MAX: Final = 6
#: Of one point in time.
_WINDOWS: Final = 60
ASKED_BY: Final = "--plot"


def open_simulation_plot(target: Path, scenario: Scenario) -> Callable[[Simulated], None]:
    """What draws into the target; what is missing for it is told before anything runs.

    Raises:
        ConfigError: matplotlib is missing, or the target's folder.
    """
    check_target(target)
    rows = min(ROWS_MAX, len(scenario.selections)) if scenario.events else 1
    height = 0.5 + rows * _ROW_INCHES if scenario.events else 4.2
    canvas = new_picture(_WIDTH_INCHES, height, asked_by=ASKED_BY)

    def save(simulated: Simulated) -> None:
        if scenario.events:
            _draw_time(canvas.subplots(rows, 2, squeeze=False, sharex=True), simulated)
        else:
            _draw_prices(canvas.subplots(1, 1), simulated)
        save_picture(canvas, target, asked_by=ASKED_BY)

    return save


def check_target(target: Path) -> None:
    """Whether a picture can be written there.

    Raises:
        ConfigError: its folder is missing.
    """
    if not target.parent.is_dir():
        raise ConfigError(ASKED_BY, f"{target.parent} is not a folder")


def _draw_time(axes: Any, simulated: Simulated) -> None:  # Any: matplotlib is not there to check types
    """One row for each selection: shares of the models, and latency with what was lost."""
    for row, (name, served) in zip(axes, simulated.served.items(), strict=False):
        shares, latency = row
        _draw_shares(shares, simulated.scenario, served)
        _draw_latency(latency, simulated.scenario, served)
        shares.set(title=f"{name}: who answers", ylabel="share", ylim=(0, 1))
        latency.set(title=f"{name}: latency", ylabel="seconds")
        latency.set_ylim(bottom=0)
        for chart in row:
            chart.set_xlim(0, simulated.scenario.duration_s)
            _mark_events(chart, simulated.scenario)
    for chart in axes[-1]:
        chart.set_xlabel("seconds; dashed: events")
    axes[0][0].legend(fontsize="small", loc="lower left")
    axes[0][1].legend(fontsize="small", loc="upper right")


def _draw_shares(chart: Any, scenario: Scenario, served: Sequence[Served]) -> None:  # Any: as above
    times, shares = [], []
    for at_s, window in _windows(scenario, served):
        counts = Counter(each.model for each in window if each.result == "answered")
        times.append(at_s)
        shares.append([counts[model] / len(window) for model in scenario.models])
    chart.stackplot(times, *zip(*shares, strict=True), labels=list(scenario.models), alpha=0.8)


def _draw_latency(chart: Any, scenario: Scenario, served: Sequence[Served]) -> None:  # Any: as above
    windows = [
        (at_s, [each.latency_s for each in window if each.result == "answered"])
        for at_s, window in _windows(scenario, served)
    ]
    times = [at_s for at_s, latencies in windows if latencies]
    for label, share, style in (("p50", 0.5, "-"), ("p95", 0.95, "--")):
        line = [quantile(latencies, share) for _, latencies in windows if latencies]
        chart.plot(times, line, style, color="black", linewidth=1, label=label)
    for result, mark, label in (("lost", "x", "lost"), ("cut_off", "|", "cut off")):
        ended = [each for each in served if each.result == result]
        if ended:
            at_s = [each.ask.at_s for each in ended]
            chart.plot(at_s, [each.latency_s for each in ended], mark, color="red", label=label)


def _mark_events(chart: Any, scenario: Scenario) -> None:  # Any: as above
    for event in scenario.events:
        chart.axvline(event.at_s, color="grey", linestyle="--", linewidth=0.8)


def _windows(scenario: Scenario, served: Sequence[Served]) -> Iterator[tuple[float, list[Served]]]:
    """The middle of each window in which requests came, and these."""
    width_s = scenario.duration_s / _WINDOWS
    for number, window in groupby(served, key=lambda each: int(each.ask.at_s / width_s)):
        yield (number + 0.5) * width_s, list(window)


def _draw_prices(chart: Any, simulated: Simulated) -> None:  # Any: as above
    """Selections of one kind on one line."""
    reports = {each.selection: each.figures for each in simulated.report.selections}
    kinds: dict[str, list[str]] = {}
    for name, selection in simulated.scenario.selections.items():
        kinds.setdefault(selection.by, []).append(name)
    for number, (kind, names) in enumerate(kinds.items()):
        # So that names of two lines that meet do not cover each other.
        offset = (6, -10) if number % 2 else (-24, 7)
        points = sorted((reports[name].cost, reports[name].quality or 0.0, name) for name in names)
        costs, qualities, _ = zip(*points, strict=True)
        chart.plot(costs, qualities, marker="o", label=kind)
        for cost, quality, name in points:
            chart.annotate(
                name, (cost, quality), fontsize="x-small", xytext=offset, textcoords="offset points"
            )
    chart.set(xlabel="cost of the run", ylabel="mean quality of the answers", title="Price against quality")
    chart.margins(x=0.08, y=0.08)
    chart.legend(fontsize="small", loc="lower right")
