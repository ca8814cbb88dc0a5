"""`router-extproc train`: heads on the frozen encoder, from a user's rows.

What is shipped is trained by `make train-all`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from router_extproc.cli.output import ERR, OUT
from router_extproc.errors import ConfigError
from router_extproc.extras import needed_for
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.quality import open_quality, write_quality
from router_extproc.training.heads.card import CardText, write_card
from router_extproc.training.heads.check_rows import read_own
from router_extproc.training.heads.examples import OnProgress
from router_extproc.training.heads.report import scope_lines, tell_lines, write_picture
from router_extproc.training.heads.train import CustomHead, train_own
from router_extproc.training.selection.report import (
    tell_selection,
    write_selection_card,
    write_selection_picture,
)
from router_extproc.training.selection.table import read_table
from router_extproc.training.selection.train import TrainedSelection, train_selection

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Train an intent signal on your own labels, or a selection on your own evaluation table.",
    epilog="Example: router-extproc train intent --data mine.jsonl --out heads/mine",
)

TrainedT = TypeVar("TrainedT")


@app.callback()
def train() -> None:
    """Train an intent signal on your own labels, or a selection on your own evaluation table."""


@app.command(epilog="Example: router-extproc train intent --data mine.jsonl --out heads/mine")
def intent(
    data: Annotated[Path, typer.Option(metavar="ROWS.jsonl", help="Rows with text and label.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write; its name is the head's name.")],
) -> None:
    """Train an intent head on your own labels; `model: DIR` then uses it.

    Begin with 8 rows or more for each label. Rows labelled `oos` teach what is out of scope. A fifth of the
    rows is held back for the figures, near-duplicates kept together. DIR gets the head, its card, and a
    picture of which labels are confused.
    """
    # First: nobody trains for minutes to hear it afterwards.
    with needed_for("training a head", "training"):
        from router_extproc.training.heads.head_onnx import write_head  # noqa: PLC0415
    examples = read_own(data)
    encoder = open_encoder()
    trained = _watch(lambda on_progress: train_own(examples, encoder, on_progress))
    write_head(out, trained.net, encoder=encoder.identity)
    head = open_head(str(out), encoder=encoder, where=str(out))
    more = "\n".join(f"- {line}" for line in scope_lines(trained))
    write_card(out, _own_card(data, out, len(examples)), trained, head, encoder.identity, more=more)
    for line in tell_lines(trained):
        OUT.print(line, markup=False)
    OUT.print(f"wrote {out} ({_picture(out, trained)})", markup=False)


@app.command(
    epilog="Example: router-extproc train selection --data table.jsonl --prices prices.json --out DIR"
)
def selection(
    data: Annotated[
        Path, typer.Option(metavar="TABLE.jsonl", help="Rows with text and scores {model: 0..1}.")
    ],
    prices: Annotated[
        Path, typer.Option(metavar="PRICES.json", help="{model: {input_per_mtok, output_per_mtok}}.")
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="Folder to write.")],
) -> None:
    """Learn to choose among models from your own evaluation table; `selection: {by: learned, model: DIR}`.

    A model may be missing in a row. Rows may have `answer_tokens` {model: tokens}, which costs then follow.
    Figures are of prompts that were not trained on, near-duplicates kept together. DIR gets the model, its
    card, and a picture of quality over price.
    """
    table = read_table(data, prices)
    encoder = open_encoder()
    trained = _watch(lambda on_progress: train_selection(table, encoder, on_progress))
    try:
        write_quality(out, trained.parts, trained.manifest)
        write_selection_card(out, trained, table, data.name)
    except OSError as error:
        raise ConfigError("--out", f"cannot write {out} ({error.strerror})") from error
    open_quality(out, encoder=encoder, where=str(out))
    for line in tell_selection(trained, table):
        OUT.print(line, markup=False)
    OUT.print(f"wrote {out} ({_curve(out, trained)})", markup=False)


def _curve(out: Path, trained: TrainedSelection) -> str:
    """Where the picture is, or why there is none."""
    try:
        return f"picture: {write_selection_picture(out, trained)}"
    except ConfigError as error:
        return f"no picture: {error.problem}"


def _picture(out: Path, trained: CustomHead) -> str:
    """Where the picture is, or why there is none: the head is of use without it."""
    try:
        return f"picture: {write_picture(out, trained)}"
    except ConfigError as error:
        return f"no picture: {error.problem}"


def _watch(train: Callable[[OnProgress], TrainedT]) -> TrainedT:
    """Train under a progress bar for each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=ERR, transient=True) as progress:

        def show(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=done)

        return train(show)


def _own_card(data: Path, out: Path, rows: int) -> CardText:
    """The card of a head on a user's rows."""
    return CardText(
        title=out.name,
        task="Labels learned from a user's own rows.",
        sources=(f"{data.name}, {rows} rows",),
        split="A fifth of the rows is held back, near-duplicates together.",
        limits=(
            "Its scores add up to less than 1: the rest is the chance that the text means none of them.",
            "Below `min_score` the signal gives no label.",
        ),
    )
