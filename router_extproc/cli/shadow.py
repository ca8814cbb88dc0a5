"""`router-extproc shadow`: how often another model would have been good enough."""

from __future__ import annotations

from typing import Any, Final, Literal

import typer
from rich.table import Table

from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import DEFAULT_ADMIN, AdminPort
from router_extproc.cli.admin_token import TokenFile, token_given
from router_extproc.cli.cache_options import Admin
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.telemetry.metrics.evaluations import EvaluatedPair, read_evaluations

app = typer.Typer(add_completion=False)

_HEADS: Final = ("decision", "answers", "asked, too", "compared", "good enough", "95 % interval", "saves")


@app.command(epilog="Example: router-extproc shadow --json")
def shadow(*, admin: Admin = DEFAULT_ADMIN, token_file: TokenFile = None, json: JsonOption = False) -> None:
    """Show how often the model of a shadow evaluation would have been good enough, and what it would save.

    Counted since the sidecar was started, of all workers. Exit code 1: nobody answers, or nothing was
    sampled.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        pairs = read_evaluations(port.text("/metrics"))
    if json:
        print_json({"evaluations": [_row(pair) for pair in pairs]})
    elif pairs:
        _show(pairs)
    if not pairs:
        ERR.print("Nothing was sampled so far: is `shadow` configured, and have requests come?")
        raise typer.Exit(FAILED)


def _row(pair: EvaluatedPair) -> dict[str, Any]:  # Any: JSON
    low, high = pair.good_enough
    return {
        "decision": pair.decision,
        "model": pair.model,
        "shadow_model": pair.shadow_model,
        "compared": pair.compared,
        "good_enough": pair.same,
        "good_enough_low": low,
        "good_enough_high": high,
        "not_compared": pair.left,
        "priced": pair.priced,
        "cost": pair.given_cost,
        "shadow_cost": pair.shadow_cost,
        "saving": pair.saving,
    }


def _show(pairs: tuple[EvaluatedPair, ...]) -> None:
    table = Table(box=None, pad_edge=False)
    for place, head in enumerate(_HEADS):
        side: Literal["left", "right"] = "left" if place < _HEADS.index("compared") else "right"
        table.add_column(head, header_style="dim", justify=side, no_wrap=side == "right")
    for pair in pairs:
        low, high = pair.good_enough
        share = f"{pair.same / pair.compared:.1%}" if pair.compared else "-"
        saving = "-" if pair.saving is None else f"{pair.saving:.1%}"
        names = (pair.decision, pair.model, pair.shadow_model)
        table.add_row(*names, str(pair.compared), share, f"{low:.1%} to {high:.1%}", saving)
    OUT.print(table)
    left = sum(pair.left for pair in pairs)
    OUT.print(
        "Good enough: both answers say the same, as far as a comparison of texts can say. Saved: of the cost"
        f" of these answers, by each pool's usage. {left} more were sampled and not compared."
    )
