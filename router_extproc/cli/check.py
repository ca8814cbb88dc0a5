"""`router-extproc check`: all problems of a configuration at once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli import OK, USAGE
from router_extproc.cli.lite import lite_problems
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.config.read import read_config
from router_extproc.errors import ConfigError, ConfigProblems

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: router-extproc check router.yaml")
def check(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The configuration.", show_default=False)],
    *,
    json: JsonOption = False,
) -> None:
    """Check a configuration and list all its problems.

    Exit code 0: it can be served. 2: it has problems, each printed with its YAML path.
    """
    problems = _problems(file)
    if json:
        found = [{"path": problem.path, "problem": problem.problem} for problem in problems]
        print_json({"ok": not problems, "problems": found})
    else:
        _print(file, problems)
    raise typer.Exit(USAGE if problems else OK)


def _problems(file: Path) -> tuple[ConfigError, ...]:
    try:
        return tuple(lite_problems(read_config(file)))
    except ConfigProblems as error:
        return error.problems


def _print(file: Path, problems: tuple[ConfigError, ...]) -> None:
    for problem in problems:
        ERR.print(str(problem), markup=False)
    count = len(problems)
    if count:
        ERR.print(f"{file}: {count} problem{'s' if count > 1 else ''}", markup=False, style="bold red")
    else:
        OUT.print(f"{file}: no problem found", markup=False)
