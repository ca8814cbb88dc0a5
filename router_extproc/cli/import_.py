"""`router-extproc import`: another router's configuration as a router.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli import FAILED, OK
from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.cli.whole_file import whole_file
from router_extproc.errors import ConfigError
from router_extproc.migration.result import Migration, sentences
from router_extproc.migration.vllm_sr import migrate

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Translate another router's configuration.",
    epilog="Example: router-extproc import vllm-sr config.yaml --out router.yaml",
)


@app.callback()
def import_() -> None:
    """Translate another router's configuration."""


@app.command(name="vllm-sr", epilog="Example: router-extproc import vllm-sr config.yaml --out router.yaml")
def vllm_sr(
    file: Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="Its configuration.")],
    *,
    out: Annotated[Path, typer.Option(metavar="FILE", help="What is written.")] = Path("router.yaml"),
    keep_headers: Annotated[
        bool,
        typer.Option("--keep-headers", help="Send x-selected-model and the x-vsr-* headers as before."),
    ] = False,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 when requests are treated otherwise than before.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Translate a configuration of vLLM Semantic Router, in any of its forms since October 2025.

    What cannot be carried over is printed, each with its path in the old file, the reason and the nearest
    thing here, and stands at the end of the new file. Exit code 0: written. 1: written, with --strict and
    something lost that changes what happens to requests. 2: the file cannot be read, or the new one is there
    already.
    """
    _refuse_overwriting(file, out, force=force)
    migration = migrate(file, out=out.name, keep_headers=keep_headers)
    _write(out, migration.text)
    if json:
        print_json(_as_json(migration, out))
    else:
        _print(migration, out)
    raise typer.Exit(FAILED if strict and migration.changes_behaviour else OK)


def _refuse_overwriting(file: Path, out: Path, *, force: bool) -> None:
    if out.exists() and file.exists() and out.samefile(file):
        raise ConfigError("", f"{out} is the file to read: choose another one with --out")
    if out.is_file() and not force:
        raise ConfigError("", f"{out} is there already: choose another file with --out, or --force")


def _write(out: Path, text: str) -> None:
    try:
        with whole_file(out) as file:
            file.write(text.encode())
    except OSError as error:
        raise ConfigError("", f"cannot write {out}: {error.strerror}") from error


def _as_json(migration: Migration, out: Path) -> dict[str, object]:
    return {
        "form": migration.form,
        "out": str(out),
        "configuration": migration.value,
        "text": migration.text,
        "choices": migration.choices,
        "not_carried": migration.not_carried,
    }


def _print(migration: Migration, out: Path) -> None:
    lost = migration.not_carried
    changed = [item for item in lost if item.severity == "behaviour"]
    for sentence in sentences(changed):
        ERR.print(f"not carried over: {sentence}", markup=False)
    for sentence in sentences(item for item in lost if item.severity == "setting"):
        ERR.print(f"setting left out: {sentence}", markup=False)
    summary = f"{len(changed)} not carried over, {len(lost) - len(changed)} settings left out"
    OUT.print(f"wrote {out} ({summary}): check it with `router-extproc check {out}`", markup=False)
