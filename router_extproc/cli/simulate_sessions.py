"""The part of `router-extproc simulate` that shows agent sessions."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from rich.progress import Progress
from rich.table import Table

from router_extproc.cli.output import ERR, OUT, print_json
from router_extproc.evaluation.metrics import Estimate
from router_extproc.simulation.agents.plot import open_sessions_plot
from router_extproc.simulation.agents.report import SessionsReport, WayReport, simulate_sessions
from router_extproc.simulation.agents.router import ways_of
from router_extproc.simulation.agents.section import SimulatedSessions
from router_extproc.simulation.scenario import Scenario

_COLUMNS: Final = ("cost", "solved", "again", "switches", "in loops", "cached")


def show_sessions(
    scenario: Scenario, agents: SimulatedSessions, seed: int | None, plot: Path | None, *, as_json: bool
) -> None:
    """Simulate, and show the report as a table or as JSON."""
    draw = None if plot is None else open_sessions_plot(plot)
    with Progress(console=ERR, transient=True) as progress:
        task = progress.add_task("simulate", total=len(ways_of(scenario)))
        report = simulate_sessions(scenario, agents, seed, lambda _: progress.advance(task))
    if as_json:
        print_json(report)
    else:
        _show(report)
    if draw is not None:
        draw(report)


def _show(report: SessionsReport) -> None:
    table = Table(box=None, pad_edge=False)
    table.add_column("way", header_style="dim", no_wrap=True)
    for head in _COLUMNS:
        table.add_column(head, header_style="dim", justify="right", no_wrap=True)
    for way in report.ways:
        table.add_row(way.way, *_cells(way))
    OUT.print(table)
    first = report.ways[0]
    OUT.print(f"{first.sessions} sessions with {first.asks} asks in {report.repeats} repeats")
    for way in report.ways:
        if way.way != report.baseline:
            OUT.print(_against(way, report.baseline))


def _cells(way: WayReport) -> tuple[str, ...]:
    return (
        f"{way.cost:.4g}",
        f"{100 * way.solved:.1f} %",
        f"{way.asked_again:.2f}",
        str(way.switches),
        str(way.unsafe_switches),
        f"{100 * way.cached_share:.0f} %",
    )


def _against(way: WayReport, baseline: str) -> str:
    cost, solved = _interval(way.cost_change), _interval(way.solved_change)
    return f"{way.way}, against {baseline}: cost {cost} %, solved {solved} points"


def _interval(estimate: Estimate) -> str:
    told = [f"{100 * value:+.1f}" for value in (estimate.value, estimate.low, estimate.high)]
    return f"{told[0]} ({told[1]} to {told[2]})"
