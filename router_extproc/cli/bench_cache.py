"""`router-extproc bench cache`: how often the cache answers, and how often wrongly, on labelled pairs."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from router_extproc.bench.plot import open_plot
from router_extproc.bench.replay_figures import ReplayFigures
from router_extproc.bench.replay_plot import draw_replay
from router_extproc.bench.replay_run import run_replay
from router_extproc.bench.stream import SEED, make_stream, read_stream_pairs
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.evaluation.metrics import Estimate
from router_extproc.evaluation.rows import read_answers, read_rows

EXAMPLE = "Example: router-extproc bench cache --data pairs.jsonl --plot cache.png"


def cache(
    data: Annotated[
        Path, typer.Option("--data", metavar="ROWS.jsonl", help="Rows with text_a, text_b and label.")
    ],
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Ask each question once, not as often as rows name it.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the order in which questions are asked.")] = SEED,
    plot: Annotated[
        Path | None, typer.Option(metavar="OUT.png", help="Draw a picture; needs matplotlib.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Replay the questions of labelled pairs through the cache, and judge its hits by the labels.

    A question is looked up before it is stored, and only a miss is stored. The default verifier is compared
    with exact matching only, and with plain cosine thresholds.
    """
    draw = None if plot is None else open_plot(plot, draw_replay)
    rows = read_rows(data, required=("text_a", "text_b"))
    pairs = read_stream_pairs(rows, read_answers(data, rows))
    with Progress(console=ERR, transient=True) as progress:
        questions = make_stream(pairs, once=once, seed=seed)
        figures = run_replay(pairs, questions, partial(_open_step, progress))
    if json:
        print_json(figures)
    else:
        _show(figures)
    if draw is not None:
        draw(figures)


def _open_step(progress: Progress, step: str, total: int) -> Callable[[], None]:
    task = progress.add_task(step, total=total)
    return lambda: progress.advance(task)


def _show(figures: ReplayFigures) -> None:
    OUT.print(
        f"{figures.lookups} lookups of {figures.distinct} texts, from {figures.pairs} pairs; by the labels, "
        f"{_percent(figures.answerable)} of the lookups could be hits"
    )
    table = Table("rule", "hits", "wrong", "at most", "precision", "at least", "p50 ms", "p99 ms", box=None)
    for each in figures.rules:
        estimates = (each.hit_ratio, each.false_hits, each.false_hits_at_most)
        shares = [_percent(estimate) for estimate in (*estimates, each.precision, each.precision_at_least)]
        table.add_row(each.rule, *shares, f"{each.p50_ms:.2f}", f"{each.p99_ms:.2f}")
    OUT.print(table)
    OUT.print(
        "hits, wrong: share of lookups; precision: share of hits; at most, at least: if unlabelled counts"
        " as wrong"
    )


def _percent(estimate: Estimate | None) -> str:
    if estimate is None:
        return "none"
    value, low, high = (100 * part for part in (estimate.value, estimate.low, estimate.high))
    return f"{value:.2f} % ({low:.2f} to {high:.2f})"
