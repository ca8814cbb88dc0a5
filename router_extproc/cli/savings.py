"""`router-extproc savings`: what routing and the cache of a running sidecar have saved."""

from __future__ import annotations

from typing import Any, Final, Literal

import typer
from rich.table import Table

from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import DEFAULT_ADMIN, AdminPort
from router_extproc.cli.admin_token import TokenFile, token_given
from router_extproc.cli.cache_options import Admin
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.pipeline.baseline import LENGTH_FACTOR
from router_extproc.telemetry.metrics.savings import Saved, SavedReport, read_savings

app = typer.Typer(add_completion=False)

#: From here on, hundredths tell enough.
_LARGE: Final = 10.0
#: Members of a row, with their heads.
_COLUMNS: Final = {
    "spent": "spent",
    "baseline": "baseline",
    "saved": "saved",
    "by_routing": "routing",
    "by_cache": "cache",
    "by_reasoning_off": "reasoning off",
}


@app.command(epilog="Example: router-extproc savings --json")
def savings(*, admin: Admin = DEFAULT_ADMIN, token_file: TokenFile = None, json: JsonOption = False) -> None:
    """Show what routing and the cache have saved since the sidecar was started.

    Everything is compared with one model for all requests: `savings.baseline`, or the dearest one. Exit code
    1: nobody answers, or no model has a price.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        report = read_savings(port.text("/metrics"))
    if json:
        print_json(_document(report))
    elif report.baselines:
        _show(report)
    if not report.baselines:
        ERR.print("No answer with a price so far: does `models` have `cost`, and do the pools report usage?")
        raise typer.Exit(FAILED)


def _document(report: SavedReport) -> dict[str, Any]:  # Any: JSON
    return {
        "baselines": list(report.baselines),
        "assumed": {"prompt": "the same", "answer": "as long", "bounds_factor": LENGTH_FACTOR},
        "total": _row(report.total),
        "decisions": {name: _row(saved) for name, saved in report.decisions.items()},
    }


def _row(saved: Saved) -> dict[str, Any]:  # Any: JSON
    low, high = saved.bounds
    return {
        "spent": saved.spent,
        "baseline": saved.expected,
        "saved": saved.total,
        "saved_low": low,
        "saved_high": high,
        "by_routing": saved.by_routing,
        "by_cache": saved.cached,
        "by_reasoning_off": saved.unthought,
    }


def _show(report: SavedReport) -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("decision", *_COLUMNS.values()):
        side: Literal["left", "right"] = "left" if head == "decision" else "right"
        table.add_column(head, header_style="dim", justify=side, no_wrap=head != "decision")
    for name, saved in (*sorted(report.decisions.items()), ("all", report.total)):
        row = _row(saved)
        table.add_row(name, *(_amount(row[key]) for key in _COLUMNS))
    OUT.print(table)
    low, high = report.total.bounds
    OUT.print(
        f"Against {', '.join(report.baselines)} for all requests, which would have read the same prompts and"
        f" answered at the same length. With answers {LENGTH_FACTOR:g} times shorter or longer,"
        f" {_amount(low)} to {_amount(high)} were saved in all."
    )


def _amount(money: float) -> str:
    """As short as it can be told; the prices are of a million tokens, so a request costs little."""
    return f"{money:.2f}" if abs(money) >= _LARGE else f"{money:.6f}".rstrip("0").rstrip(".")
