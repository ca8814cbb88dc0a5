"""`router-extproc simulate`: routing over made-up pools in simulated time."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

import typer
from rich.progress import Progress
from rich.table import Table

from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.cli.simulate_sessions import show_sessions
from router_extproc.config.document import read_text
from router_extproc.simulation.plot import open_simulation_plot
from router_extproc.simulation.read import read_scenario
from router_extproc.simulation.report import Figures, Followed, SelectionReport, simulate
from router_extproc.simulation.shipped import SHIPPED, find_scenario

app = typer.Typer(add_completion=False)

_COLUMNS: Final = ("requests", "lost", "cut off", "p50 s", "p95 s", "cost", "quality")


@app.command("simulate", epilog="Example: router-extproc simulate outage --plot outage.png")
def simulate_scenario(
    scenario: Annotated[
        str,
        typer.Argument(metavar="SCENARIO", help=f"A file, or one of those shipped: {', '.join(SHIPPED)}."),
    ],
    *,
    seed: Annotated[
        int | None, typer.Option(help="Draw other requests than the scenario's seed does.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Draw a picture; needs matplotlib.")
    ] = None,
    source: Annotated[bool, typer.Option("--source", help="Print the scenario's YAML, to copy it.")] = False,
    json: JsonOption = False,
) -> None:
    """Show what routing does when pools fail, slow down or refuse, and what quality and sessions cost.

    The pools and the time are made up; the policy, the selections, live traffic and the order of fail-over
    are those that serve real requests. No network. The same scenario and seed give the same bytes.
    """
    path = find_scenario(scenario)
    if source:
        typer.echo(read_text(path), nl=False)
        return
    read = read_scenario(path)
    if read.sessions is not None:
        show_sessions(read, read.sessions, seed, plot, as_json=json)
        return
    draw = None if plot is None else open_simulation_plot(plot, read)
    with Progress(console=ERR, transient=True) as progress:
        task = progress.add_task("simulate", total=len(read.selections))
        simulated = simulate(read, seed, lambda _: progress.advance(task))
    if json:
        print_json(simulated.report)
    else:
        for report in simulated.report.selections:
            _show(report)
    if draw is not None:
        draw(simulated)


def _show(report: SelectionReport) -> None:
    table = Table(box=None, pad_edge=False)
    for head in (report.selection, "model", "share", *_COLUMNS):
        side: Literal["left", "right"] = "left" if head in {report.selection, "model"} else "right"
        table.add_column(head, header_style="dim", justify=side, no_wrap=True)
    for phase in report.phases:
        when = f"{phase.from_s:g}-{phase.to_s:g} s"
        for each in phase.models:
            if each.figures.requests:
                table.add_row(when, each.model, f"{each.share:.2f}", *_cells(each.figures))
                when = ""
    table.add_row("all", "", "", *_cells(report.figures))
    OUT.print(table)
    in_a_minute = report.preferred_changes_in_a_minute
    OUT.print(f"changes of the preferred pool: {report.preferred_changes}, in a minute at most {in_a_minute}")
    for event in report.events:
        OUT.print(_line(event))
    OUT.print()


def _cells(figures: Figures) -> tuple[str, ...]:
    counts = (figures.requests, figures.lost, figures.cut_off)
    numbers = (figures.p50_s, figures.p95_s, figures.cost, figures.quality)
    return (*map(str, counts), *("-" if number is None else f"{number:.3g}" for number in numbers))


def _line(event: Followed) -> str:
    begin = f"{event.at_s:g} s, {event.model}: {event.happens}"
    if event.left_after_s is not None:
        return f"{begin}; traffic has left after {event.left_after_s:.2f} s"
    if event.back_after_s is not None:
        return f"{begin}; traffic is back after {event.back_after_s:.2f} s"
    return begin
