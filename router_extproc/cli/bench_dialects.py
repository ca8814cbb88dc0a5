"""`router-extproc bench dialects`: what reading a request body costs on this machine."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.progress import track
from rich.table import Column, Table

from router_extproc.bench.dialects import BODIES, LONG_TURNS, ParseCost, measure_parse
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

EXAMPLE: Final = "Example: router-extproc bench dialects --runs 50"
_BODIES: Final = len(BODIES) * (1 + len(LONG_TURNS))


def dialects(
    *,
    runs: Annotated[int, typer.Option(min=5, help="Times that each long body is read.")] = 20,
    json: JsonOption = False,
) -> None:
    """Time the reading of a short question and of conversations of 1 MiB, on one thread.

    The processor's time is counted, so other programs on the machine hardly matter.
    """
    # As a worker does after its start: what was loaded by then is looked at by no collection.
    gc.collect()
    gc.freeze()
    costs = list(track(measure_parse(runs=runs), "measure", total=_BODIES, console=ERR, transient=True))
    if json:
        print_json(costs)
    else:
        _show(costs)


def _show(costs: Sequence[ParseCost]) -> None:
    right = (Column(name, justify="right") for name in ("turns", "KiB", "p50, ms", "p95, ms"))
    table = Table("dialect", *right, box=None)
    for cost in costs:
        size = f"{cost.body_bytes / 1024:.1f}"
        table.add_row(cost.dialect, str(cost.turns), size, f"{cost.p50_ms:.3f}", f"{cost.p95_ms:.3f}")
    OUT.print(table)
