"""`router-extproc savings`: what routing and the cache of a running sidecar have saved."""

from __future__ import annotations

from typing import Any, Final, Literal

import typer
from rich.table import Table

from router_extproc.admin.access import SAVINGS
from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import DEFAULT_ADMIN, AdminPort
from router_extproc.cli.admin_token import TokenFile, token_given
from router_extproc.cli.cache_options import Admin
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

app = typer.Typer(add_completion=False)

#: From here on, hundredths tell enough.
_LARGE: Final = 10.0
#: Members of a row, with their heads; in two lines, for a terminal has 80 columns.
_MONEY: Final = {
    "spent": "spent",
    "baseline": "baseline",
    "saved": "saved",
    "by_routing": "routing",
    "by_cache": "cache",
    "by_reasoning_off": "reasoning\noff",
}
#: Heads, with the members of a row that are added up under them.
_TOKENS: Final = {
    "tokens": ("prompt_tokens", "completion_tokens"),
    "tokens\nsaved": ("saved_prompt_tokens", "saved_completion_tokens", "saved_reasoning_tokens"),
}
#: Groups of the report, by the head of their names.
_GROUPS: Final = {"decision": "decisions", "model": "models", "tag": "tags", "tenant": "tenants"}

Document = dict[str, Any]  # Any: JSON


@app.command(epilog="Example: router-extproc savings --json")
def savings(*, admin: Admin = DEFAULT_ADMIN, token_file: TokenFile = None, json: JsonOption = False) -> None:
    """Show what routing and the cache have saved: money and tokens, by decision, model, tag and tenant.

    Everything is compared with one model for all requests: `savings.baseline`, or the dearest one. It is told
    since the sidecar was started or, with `state_dir`, since that was empty. Exit code 1: nobody answers, or
    no model has a price.
    """
    with AdminPort(admin, token_given(token_file)) as port:
        report = port.get(SAVINGS)
    if json:
        print_json(report)
    elif report["decisions"]:
        _show(report)
    if not report["baselines"]:
        ERR.print("No answer with a price so far: does `models` have `cost`, and do the pools report usage?")
        raise typer.Exit(FAILED)


def _show(report: Document) -> None:
    for head, group in reversed(_GROUPS.items()):
        if report[group]:
            last = {"all": report["total"]} if group == "decisions" else {}
            OUT.print(_table(head, {**dict(sorted(report[group].items())), **last}))
    if not report["baselines"]:
        return
    total, factor = report["total"], report["assumed"]["bounds_factor"]
    OUT.print(
        f"Against {', '.join(report['baselines'])} for all requests, which would have read the same prompts"
        f" and answered at the same length. With answers {factor:g} times shorter or longer,"
        f" {_amount(total['saved_low'])} to {_amount(total['saved_high'])} were saved in all."
    )


def _table(head: str, rows: dict[str, Document]) -> Table:
    table = Table(box=None, pad_edge=False)
    for each in (head, *_MONEY.values(), *_TOKENS):
        side: Literal["left", "right"] = "left" if each == head else "right"
        table.add_column(each, header_style="dim", justify=side, no_wrap=each != head, overflow="fold")
    for name, row in rows.items():
        tokens = (f"{sum(row[key] for key in keys):,.0f}" for keys in _TOKENS.values())
        table.add_row(name, *(_amount(row[key]) for key in _MONEY), *tokens)
    return table


def _amount(money: float) -> str:
    """As short as it can be told; the prices are of a million tokens, so a request costs little."""
    return f"{money:.2f}" if abs(money) >= _LARGE else f"{money:.6f}".rstrip("0").rstrip(".")
