"""The options that commands of `router-extproc cache` share, and what they mean to the admin port."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

import typer

from router_extproc.cli.admin_port import AdminPort
from router_extproc.cli.header_option import read_header

Admin: TypeAlias = Annotated[
    str, typer.Option("--admin", help="The sidecar's admin port, or its URL.", metavar="HOST:PORT")
]
Scope: TypeAlias = Annotated[
    str | None, typer.Option(help="The scope's digest, as `cache list` shows it.", show_default=False)
]
Header: TypeAlias = Annotated[
    list[str] | None,
    typer.Option("--header", "-H", help="Instead of --scope: a client's header, 'name: value'."),
]
Model: TypeAlias = Annotated[str | None, typer.Option(help="The model that answered.", show_default=False)]
Decision: TypeAlias = Annotated[
    str | None, typer.Option(help="The decision that chose it.", show_default=False)
]
Tag: TypeAlias = Annotated[str | None, typer.Option(help="One of its decision's tags.", show_default=False)]
OlderThan: TypeAlias = Annotated[
    float | None,
    typer.Option("--older-than", help="Stored more than this many seconds ago.", min=0, show_default=False),
]
Entry: TypeAlias = Annotated[
    str | None, typer.Option(help="First digits of the entry's fingerprint.", show_default=False)
]


def selector_of(  # noqa: PLR0917 - the options that three commands share
    port: AdminPort,
    scope: str | None,
    header: list[str] | None,
    model: str | None,
    decision: str | None,
    tag: str | None,
    older_than: float | None,
) -> dict[str, Any]:  # Any: JSON
    """Which entries the options mean, as the admin port reads it."""
    if header and scope is not None:
        raise typer.BadParameter("give either --scope or --header")
    if header:
        scope = port.scope(dict(read_header(text) for text in header), decision)
    return given(scope=scope, model=model, decision=decision, tag=tag, older_than_s=older_than)


def given(**options: Any) -> dict[str, Any]:  # Any: an option's value
    """The options that were given."""
    return {name: value for name, value in options.items() if value is not None}


def hex_digits(entry: str) -> str:
    """A fingerprint's digits, checked."""
    if not entry or set(entry) - set("0123456789abcdef"):
        raise typer.BadParameter("write the first hex digits of a fingerprint (0-9, a-f)", param_hint="ENTRY")
    return entry
