"""`router-extproc envoy`: the Envoy configuration of a router configuration, written or compared."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli import FAILED, OK
from router_extproc.cli.output import ERR, OUT
from router_extproc.cli.whole_file import whole_file
from router_extproc.config.read import read_config
from router_extproc.envoy_config.render import What, render

app = typer.Typer(add_completion=False)


@app.command(epilog="Example: router-extproc envoy --config router.yaml --out envoy/")
def envoy(
    config: Annotated[Path, typer.Option(metavar="FILE", help="The configuration.", show_default=False)],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write to.", show_default=False)],
    *,
    what: Annotated[
        What | None, typer.Option(help="Render only the bootstrap or only the include.", show_default="both")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Write nothing; compare with the existing files.")
    ] = False,
) -> None:
    """Render the Envoy configuration.

    bootstrap.yaml is a complete Envoy configuration; include/ has the parts to add to an Envoy that you own.
    Exit code 0: written, or no difference. 1: --check found a difference. 2: the configuration has errors.
    """
    files = render(read_config(config), what)
    if check:
        raise typer.Exit(_compare(out, files))
    for name, text in files.items():
        _write(out / name, text)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as file:
        file.write(text.encode())
    OUT.print(str(path), markup=False)


def _compare(out: Path, files: Mapping[str, str]) -> int:
    stale = [out / name for name, text in files.items() if not _holds(out / name, text)]
    for path in stale:
        ERR.print(f"{path}: differs from the configuration; render again without --check", markup=False)
    return FAILED if stale else OK


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text
