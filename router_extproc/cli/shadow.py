"""`router-extproc shadow`: how often another model would have been good enough."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import typer
from rich.table import Table

from router_extproc.admin.access import EVALUATIONS
from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import DEFAULT_ADMIN, AdminPort
from router_extproc.cli.admin_token import TokenFile, token_given
from router_extproc.cli.cache_options import Admin
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

app = typer.Typer(add_completion=False)

_HEADS: Final = ("decision", "answers", "asked, too", "pairs", "good enough", "95 % interval", "saves")
_NAMES: Final = 3

Row = dict[str, Any]  # Any: JSON


@app.command(epilog="Example: router-extproc shadow --json")
def shadow(*, admin: Admin = DEFAULT_ADMIN, token_file: TokenFile = None, json: JsonOption = False) -> None:
    """Show how often the model of a shadow evaluation would have been good enough, and what it would save.

    Counted of all workers since the sidecar was started or, with `state_dir`, since that was empty. Exit code
    1: nobody answers, or nothing was sampled.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        report = port.get(EVALUATIONS)
    rows: list[Row] = report["evaluations"]
    if json:
        print_json(report)
    elif rows:
        _show(rows)
    if not rows:
        ERR.print("Nothing was sampled so far: is `shadow` configured, and have requests come?")
        raise typer.Exit(FAILED)


def _show(rows: list[Row]) -> None:
    table = Table(box=None, pad_edge=False)
    for place, head in enumerate(_HEADS):
        side: Literal["left", "right"] = "left" if place < _NAMES else "right"
        table.add_column(head, header_style="dim", justify=side, no_wrap=side == "right")
    for row in rows:
        for line in _lines(row):
            table.add_row(*line)
    OUT.print(table)
    OUT.print("".join(_explained(rows)))


def _lines(row: Row) -> Iterator[tuple[str, ...]]:
    """Of one pair of models: all that is known and, where a judge was asked, who says it."""
    saving = "-" if row["saving"] is None else f"{row['saving']:.1%}"
    names = (row["decision"], row["model"], row["shadow_model"])
    yield (*names, *_share(row, "evaluated", "good_enough"), saving)
    if row["judged"]:
        yield ("  compared", "", "", *_share(row, "compared", "compared_good_enough"), "")
        judges = ", ".join(sorted(row["judges"]))
        yield ("  judged by", judges, "", *_share(row, "judged", "judged_good_enough"), "")


def _share(row: Row, pairs: str, good: str) -> tuple[str, str, str]:
    share = f"{row[good] / row[pairs]:.1%}" if row[pairs] else "-"
    return str(row[pairs]), share, f"{row[f'{good}_low']:.1%} to {row[f'{good}_high']:.1%}"


def _explained(rows: list[Row]) -> Iterator[str]:
    yield "Good enough: both answers say the same, as far as a comparison of texts can say"
    if any(row["judged"] for row in rows):
        better, equal, unreadable = (
            sum(row[key] for row in rows) for key in ("better", "equal", "unreadable")
        )
        yield (
            f", or a judge finds the other one better ({better}) or equal ({equal}); unreadable verdicts"
            f" ({unreadable}) count against it"
        )
    left = sum(row["not_compared"] for row in rows)
    yield (
        ". Saved: of the cost of these answers, by each pool's usage."
        f" {left} more were sampled and not compared."
    )
