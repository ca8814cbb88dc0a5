"""Runs a training on screen: progress bars, then the figures.

It is not a trainer. `python -m router_extproc.training.command --help` says what it can train.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.open import open_encoder
from router_extproc.training import mmlu14
from router_extproc.training.card import CardText, write_card
from router_extproc.training.intent import Example, TrainedHead, save_head, train_intent
from router_extproc.training.rows import read_rows

#: For progress and figures; the result is files.
SCREEN = Console(stderr=True, highlight=False)

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False)

DataFile = Annotated[Path, typer.Option(help="Rows with text and label, JSON Lines.")]
DataFolder = Annotated[Path, typer.Option(help="The folder with domain/ and intents/.")]
OutFolder = Annotated[Path, typer.Option(help="The head's folder; its name is the head's name.")]


@app.command(
    "intent",
    epilog="Example: python -m router_extproc.training.command intent --data mine.jsonl --out my-intents",
)
def train_own(data: DataFile, out: OutFolder) -> None:
    """Train a head on your own labels."""
    rows = read_rows(data, required=("text", "label"))
    examples = [Example(row.text("text"), row.text("label"), data.name) for row in rows]
    train_to(out, examples, own_card(data, out, len(rows)))


@app.command(
    "mmlu14", epilog="Example: python -m router_extproc.training.command mmlu14 --data ../shared/data"
)
def train_mmlu14(data: DataFolder, out: OutFolder = mmlu14.FOLDER) -> None:
    """Remake the shipped head for the 14 MMLU-Pro categories."""
    train_to(out, mmlu14.read_examples(data), mmlu14.CARD)


def train_to(out: Path, examples: list[Example], card: CardText) -> None:
    """Train, save the head with its card, print the figures."""
    encoder = open_encoder()
    trained = watch_training(examples, encoder)
    save_head(trained, out, encoder=encoder)
    head = open_head(str(out), encoder=encoder, where=str(out))
    write_card(out, card, trained, head, encoder.identity)
    show_figures(trained)
    SCREEN.print(f"wrote {out}", markup=False)


def watch_training(examples: list[Example], encoder: OnnxEncoder) -> TrainedHead:
    """Train under a progress bar for each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=SCREEN) as progress:

        def show(step: str, done: float) -> None:
            if step not in tasks:
                tasks[step] = progress.add_task(step, total=1.0)
            progress.update(tasks[step], completed=done)

        return train_intent(examples, encoder, on_progress=show)


def show_figures(trained: TrainedHead) -> None:
    """Accuracy, calibration and the weakest labels."""
    figures = trained.figures
    SCREEN.print(f"accuracy on unseen rows: {figures.accuracy}", markup=False)
    for source, estimate in figures.accuracy_by_source.items():
        SCREEN.print(f"  {source}: {estimate}", markup=False)
    SCREEN.print(f"calibration error: {figures.calibration_error:.3f}")
    weakest = sorted(figures.recall_by_label.items(), key=lambda item: item[1].value)[:5]
    SCREEN.print("weakest labels (recall):")
    for label, estimate in weakest:
        SCREEN.print(f"  {label}: {estimate}", markup=False)


def own_card(data: Path, out: Path, rows: int) -> CardText:
    """The card of a head on a user's rows."""
    return CardText(
        title=out.name,
        task="Labels of a user's own, learned from rows.",
        sources=(f"{data.name}, {rows} rows",),
        split="A fifth of the rows, drawn by group of near-duplicates.",
        limits=("It gives one of its labels to every text; `min_score` decides what is good enough.",),
    )


if __name__ == "__main__":
    app()
