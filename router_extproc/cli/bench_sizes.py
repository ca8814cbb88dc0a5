"""`router-extproc bench cache-sizes`: lookups, stores and memory of the cache as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.progress import Progress
from rich.table import Table

from router_extproc.bench.plot import open_plot
from router_extproc.bench.sizes import SizeFigures, Spread
from router_extproc.bench.sizes_plot import draw_sizes
from router_extproc.bench.sizes_run import SIZES, SizesPlan, read_base, run_sizes
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.evaluation.rows import read_rows

EXAMPLE = "Example: router-extproc bench cache-sizes --largest 100000 --milvus http://127.0.0.1:19530"
_COLUMNS: Final = ("backend", "entries", "exact", "semantic", "found", "failed", "store", "bytes/entry")


def cache_sizes(
    *,
    largest: Annotated[
        int, typer.Option(min=SIZES[0], help="Entries at the largest size; about 5 KB each.")
    ] = SIZES[-1],
    lookups: Annotated[int, typer.Option(min=100, help="Lookups of each kind at each size.")] = 2000,
    milvus: Annotated[
        str | None, typer.Option(metavar="URI", help="Also measure this Milvus server.")
    ] = None,
    lite: Annotated[bool, typer.Option(help="Also measure Milvus Lite, up to 100,000 entries.")] = True,
    data: Annotated[
        Path | None, typer.Option(metavar="ROWS.jsonl", help="Real questions: rows with text.")
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw a picture; needs matplotlib.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Fill each backend with 1,000, 10,000, 100,000 and 1,000,000 entries, and measure it at each size.

    All entries are in one partition. If --data has fewer questions than entries are needed, the rest are
    mixtures of two with noise; without --data all are synthetic. On a server a new collection is created, and
    dropped at the end.
    """
    draw = None if plot is None else open_plot(plot, draw_sizes)
    texts = [] if data is None else [row.text("text") for row in read_rows(data, required=("text",))]
    with Progress(console=ERR, transient=True) as progress:

        def grown(name: str, size: int) -> Callable[[int], None]:
            task = progress.add_task(name, total=size)
            return lambda count: progress.advance(task, count)

        encoded = progress.add_task("encode", total=len(texts), visible=bool(texts))
        base = read_base(texts, lambda: progress.advance(encoded))
        plan = SizesPlan(largest, lookups, lite=lite, server=milvus)
        figures, problems = asyncio.run(run_sizes(plan, base, grown))
    if json:
        print_json(figures)
    else:
        _show(figures)
    if draw is not None:
        draw(figures)
    if problems:
        raise problems[0]


def _show(figures: list[SizeFigures]) -> None:
    table = Table(*_COLUMNS, box=None)
    for each in figures:
        memory = "" if each.bytes_per_entry is None else f"{each.bytes_per_entry:,.0f}"
        store = f"{_cell(each.store)} of {each.batch}"
        spreads = (_cell(each.exact), _cell(each.semantic), f"{each.found:.3f}", str(each.failed), store)
        table.add_row(each.backend, f"{each.entries:,}", *spreads, memory)
    OUT.print(table)
    OUT.print(
        "ms, p50 / p99; store: one call of so many entries; bytes: of this process, with answers of 1 KB"
    )


def _cell(spread: Spread) -> str:
    return f"{spread.p50_ms:.3f} / {spread.p99_ms:.3f}"
