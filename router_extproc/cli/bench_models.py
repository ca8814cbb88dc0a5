"""`router-extproc bench models`: what each part of understanding a prompt costs on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

import typer
from rich.progress import track
from rich.table import Column, Table

from router_extproc.bench.models import TOKENS, Cost, measure_models, open_bench
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

EXAMPLE: Final = "Example: router-extproc bench models --runs 500"


def models(
    *,
    runs: Annotated[int, typer.Option(min=20, help="Prompts for each figure.")] = 200,
    json: JsonOption = False,
) -> None:
    """Time encoder, task layers, every signal and the verifier at 10 to 512 tokens, on one thread.

    A signal is timed without the encoder pass, which all signals share; `pass and all signals` is what a
    whole request takes. The verifier reads two questions of this length each.
    """
    costs = list(track(measure_models(open_bench(), runs=runs), "measure", console=ERR, transient=True))
    if json:
        print_json(costs)
    else:
        _show(costs)


def _show(costs: Sequence[Cost]) -> None:
    lengths = (Column(f"{tokens} tokens", justify="right") for tokens in TOKENS)
    table = Table("p50 (p95), ms", *lengths, box=None)
    cells = {(cost.task, cost.tokens): f"{cost.p50_ms:.2f} ({cost.p95_ms:.2f})" for cost in costs}
    for task in dict.fromkeys(cost.task for cost in costs):
        table.add_row(task, *(cells.get((task, tokens), "") for tokens in TOKENS))
    OUT.print(table)
