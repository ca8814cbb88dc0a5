"""`router-extproc reload`: let a running sidecar work by its changed configuration, or by an earlier one."""

from __future__ import annotations

from typing import Annotated

import typer

from router_extproc.cli import FAILED
from router_extproc.cli.admin_port import DEFAULT_ADMIN, AdminPort, Json
from router_extproc.cli.admin_token import TokenFile, token_given
from router_extproc.cli.cache_options import Admin
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json

app = typer.Typer(add_completion=False)

_SAID = {
    "applied": "version {version} is in force",
    "rolled_back": "version {version} is in force: the content of version {content_of}",
    "unchanged": "nothing has changed: version {version} stays in force",
    "refused": "refused: version {version} stays in force",
}


@app.command(epilog="Example: router-extproc reload --rollback")
def reload(
    *,
    rollback: Annotated[bool, typer.Option("--rollback", help="Go back to the version before.")] = False,
    to: Annotated[
        int | None,
        typer.Option("--to", help="With --rollback: go back to this version.", min=1, show_default=False),
    ] = None,
    admin: Admin = DEFAULT_ADMIN,
    token_file: TokenFile = None,
    json: JsonOption = False,
) -> None:
    """Read the configuration of a running sidecar again, in all its workers or in none.

    A file with problems is refused with all of them, and the version in force stays. Exit code 1: it was
    refused, or nobody answers.
    """
    if to is not None and not rollback:
        raise typer.BadParameter("needs --rollback", param_hint="--to")
    with AdminPort(admin, token_given(token_file)) as port:
        told = port.rollback(to) if rollback else port.reload()
    if json:
        print_json(told)
    else:
        _show(told)
    raise typer.Exit(FAILED if told["result"] == "refused" else 0)


def _show(told: Json) -> None:
    line = _SAID[told["result"]].format_map({"version": "?", **told})
    (ERR if told["result"] == "refused" else OUT).print(line, markup=False)
    for problem in told["problems"]:
        where = f"{problem['file']}:{problem['line']}: " if "file" in problem else ""
        path = f"{problem['path']}: " if problem["path"] else ""
        ERR.print(f"{where}{path}{problem['problem']}", markup=False)
