"""`router-extproc bench attack`: how often a suffix search makes a foreign question look like one's own."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import track
from rich.table import Table

from router_extproc.bench.attack import AttackFigures, list_attacks, run_attacks
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

EXAMPLE = "Example: router-extproc bench attack --json"


def attack(
    *,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Run at most this many attacks; default: all.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Append words to an attacker's text until the cache takes it for somebody else's question.

    Texts and questions come with the package. The result matters where people share a scope: elsewhere an
    attacker only finds their own entries.
    """
    attacks = list_attacks()[:limit]
    *_, figures = track(run_attacks(attacks), "attack", total=len(attacks), console=ERR, transient=True)
    if json:
        print_json(figures)
    else:
        OUT.print(_table(figures))


def _table(figures: tuple[AttackFigures, ...]) -> Table:
    table = Table("rule", "words searched (95 % interval)", "question pasted (95 % interval)", box=None)
    for each in figures:
        table.add_row(each.rule, str(each.searched), str(each.pasted))
    return table
