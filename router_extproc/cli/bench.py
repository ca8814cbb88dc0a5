"""`router-extproc bench`: what the sidecar adds to plain Envoy, measured on this machine."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from router_extproc.bench.overhead import BenchResult, BenchSettings, Latency, measure
from router_extproc.cli import bench_attack, bench_cache, bench_dialects, bench_models, bench_sizes

app = typer.Typer(add_completion=False)
app.command("cache", epilog=bench_cache.EXAMPLE)(bench_cache.cache)
app.command("attack", epilog=bench_attack.EXAMPLE)(bench_attack.attack)
app.command("dialects", epilog=bench_dialects.EXAMPLE)(bench_dialects.dialects)
app.command("models", epilog=bench_models.EXAMPLE)(bench_models.models)
app.command("cache-sizes", epilog=bench_sizes.EXAMPLE)(bench_sizes.cache_sizes)

_EXAMPLE = "Example: router-extproc bench --pairs 500 --json > bench.json"


@app.callback(invoke_without_command=True, epilog=_EXAMPLE)
def bench(
    called: typer.Context,
    *,
    pairs: Annotated[int, typer.Option(min=20, help="Pairs of requests for each case.")] = 300,
    throughput: Annotated[
        float, typer.Option(min=0, help="Seconds for each throughput figure; 0: skip them.")
    ] = 10.0,
    workers: Annotated[
        list[int] | None, typer.Option(min=1, help="Number of workers to measure; may be repeated.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")] = False,
) -> None:
    """Measure what the sidecar adds to plain Envoy; the commands below measure single parts.

    Starts Envoy with and without the sidecar, and a pool that answers at once, and sends both the same
    requests. Latencies are measured one request at a time. For throughput, the sidecar shares the machine's
    cores with Envoy and the client.
    """
    if called.invoked_subcommand is not None:
        return
    console = Console(stderr=True)
    settings = BenchSettings(pairs, throughput, tuple(workers or (1, 2)))
    result = asyncio.run(measure(settings, say=lambda text: console.print(f"[dim]{text}[/dim]")))
    if json:
        typer.echo(orjson.dumps(asdict(result), option=orjson.OPT_INDENT_2))
    else:
        _print(result, Console())


def _print(result: BenchResult, console: Console) -> None:
    table = Table(title="Added latency, ms (routed minus plain Envoy)")
    for heading in ("case", "tokens", "added p50", "p95", "p99", "plain p50", "routed p50", "strays", "late"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for row in result.latencies:
        table.add_row(*_cells(row))
    console.print(table)
    if result.throughputs:
        console.print(_throughputs(result))
    console.print(f"Resident memory of the sidecar (one worker): {result.rss_mb:.0f} MB")


def _cells(row: Latency) -> tuple[str, ...]:
    figures = (*row.added_ms, row.plain_ms[0], row.routed_ms[0])
    tokens = "" if row.tokens is None else str(row.tokens)
    return (
        row.case,
        tokens,
        *(f"{figure:.2f}" for figure in figures),
        f"{row.strays}/{row.samples}",
        str(row.late),
    )


def _throughputs(result: BenchResult) -> Table:
    table = Table(title="Throughput, requests/s (32 clients)")
    for heading in ("case", "workers", "per second", "p50 ms", "p99 ms", "strays", "late"):
        table.add_column(heading, justify="left" if heading == "case" else "right")
    for row in result.throughputs:
        figures = (
            f"{row.per_s:.0f}",
            f"{row.p50_ms:.1f}",
            f"{row.p99_ms:.1f}",
            str(row.strays),
            str(row.late),
        )
        table.add_row(row.case, str(row.workers), *figures)
    return table
