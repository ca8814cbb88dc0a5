"""`router-extproc compare`: what a change of policy would do to recorded requests, before it is made."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from router_extproc.cli import OK
from router_extproc.cli.deciding import decide_all
from router_extproc.cli.output import OUT, JsonOption, print_json
from router_extproc.cli.recorded import Recorded, read_recorded
from router_extproc.config.model import Config
from router_extproc.config.read import read_config
from router_extproc.evaluation.policy_comparison import PolicyComparison, PolicyOutcome, compare_outcomes
from router_extproc.pipeline.explain import ANSWER_TOKENS

app = typer.Typer(add_completion=False)

#: Changed requests that are shown to people; programs get all of them.
SHOWN_MAX: Final = 50


@app.command(epilog="Example: router-extproc compare router.yaml new.yaml --data prompts.jsonl")
def compare(
    old: Annotated[Path, typer.Argument(help="The configuration in force.", show_default=False)],
    new: Annotated[Path, typer.Argument(help="The one to be compared with it.", show_default=False)],
    *,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="PROMPTS.jsonl",
            help="Rows with `text`, `messages` or `request` (a body).",
            show_default=False,
        ),
    ],
    json: JsonOption = False,
) -> None:
    """Say what a change of policy would do to these requests: models, cost, and every changed route.

    Decides each request by both configurations; no pool is asked, and no cache. Costs follow from the
    prices in `models`, with the request's estimated tokens and an answer of the same length everywhere.
    """
    before, after = read_config(old), read_config(new)
    # Both read the same bytes: a body without a model asks to be routed.
    requests = read_recorded(data, before)
    outcomes = asyncio.run(_decide_by_both(before, after, requests))
    comparison = compare_outcomes([request.line for request in requests], *outcomes)
    if json:
        print_json(comparison)
    else:
        _show(comparison)
    raise typer.Exit(OK)


async def _decide_by_both(
    old: Config, new: Config, requests: Sequence[Recorded]
) -> tuple[list[PolicyOutcome], list[PolicyOutcome]]:
    return await decide_all(old, requests), await decide_all(new, requests)


# ── for people ────────────────────────────────────────────────────────────────────────────────


def _show(comparison: PolicyComparison) -> None:
    changed = len(comparison.changed)
    OUT.print(f"[bold]{changed}[/bold] of {comparison.requests} requests change\n")
    table = Table(box=None, pad_edge=False)
    for head in ("", "old", "new"):
        table.add_column(head, header_style="dim")
    for model in sorted({*comparison.old.shares, *comparison.new.shares}):
        shares = (totals.shares.get(model, 0.0) for totals in (comparison.old, comparison.new))
        table.add_row(escape(model), *(f"{share:.1%}" for share in shares))
    if comparison.old.cost or comparison.new.cost:
        table.add_row("cost", f"{comparison.old.cost:.6f}", f"{comparison.new.cost:.6f}")
    OUT.print(table)
    if comparison.old.cost or comparison.new.cost:
        OUT.print(f"[dim]cost: estimated prompts, and answers of {ANSWER_TOKENS} tokens each[/dim]")
    OUT.print()
    for change in comparison.changed[:SHOWN_MAX]:
        OUT.print(escape(f"line {change.line}: {_way(change.old)} → {_way(change.new)}: {change.reason}"))
    if changed > SHOWN_MAX:
        OUT.print(f"[dim]{changed - SHOWN_MAX} more: --json lists all[/dim]")


def _way(outcome: PolicyOutcome) -> str:
    return outcome.model if outcome.outcome == "forward" else outcome.outcome
