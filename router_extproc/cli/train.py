"""`router-extproc train`: heads on the frozen encoder, from a user's rows or for the package."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from router_extproc.cli.output import ERR, OUT
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.open import open_encoder
from router_extproc.training import guard, mmlu14
from router_extproc.training.card import CardText, write_card
from router_extproc.training.intent import Example, OnProgress, TrainedHead, save_head, train_intent
from router_extproc.training.own import train_own
from router_extproc.training.own_graph import write_own_head
from router_extproc.training.own_report import scope_lines, tell_lines, write_picture
from router_extproc.training.own_rows import read_own

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Train heads on the frozen encoder.",
    epilog="Example: router-extproc train intent --data mine.jsonl --out heads/mine",
)

#: Labels shown as the weakest.
WEAKEST = 5

TrainedT = TypeVar("TrainedT")


@app.command(epilog="Example: router-extproc train intent --data mine.jsonl --out heads/mine")
def intent(
    data: Annotated[Path, typer.Option(metavar="ROWS.jsonl", help="Rows with text and label.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The head's folder; its name is the head's.")],
) -> None:
    """Train an intent head on your own labels; `model: DIR` then uses it.

    From 8 rows a label on; rows labelled `oos` teach what is out of scope. Figures come from a fifth of the
    rows; near-duplicates are kept together. DIR gets the head, its card and a picture of what is confused.
    """
    examples = read_own(data)
    encoder = open_encoder()
    trained = _watch(lambda on_progress: train_own(examples, encoder, on_progress))
    write_own_head(out, trained.net, encoder=encoder.identity)
    head = open_head(str(out), encoder=encoder, where=str(out))
    more = "\n".join(f"- {line}" for line in scope_lines(trained))
    write_card(out, _own_card(data, out, len(examples)), trained, head, encoder.identity, more=more)
    for line in tell_lines(trained):
        OUT.print(line, markup=False)
    OUT.print(f"wrote {out} (picture: {write_picture(out, trained)})", markup=False)


@app.command("mmlu14", epilog="Example: router-extproc train mmlu14 --data ../shared/data")
def train_mmlu14(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The folder with domain/ and intents/.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The head's folder.")] = mmlu14.FOLDER,
) -> None:
    """Remake the shipped head for the 14 MMLU-Pro categories."""
    _train_to(out, mmlu14.read_examples(data), mmlu14.CARD)


@app.command("guard", epilog="Example: router-extproc train guard --data ../shared/data")
def train_guard(
    data: Annotated[Path, typer.Option(metavar="DIR", help="The folder with guard/ and prompts/.")],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The head's folder.")] = guard.FOLDER,
) -> None:
    """Remake the shipped head that tells attacks."""
    _train_to(out, guard.read_examples(data), guard.CARD, lambda made: guard.tell(guard.judge_unseen(made)))


def _train_to(
    out: Path,
    examples: list[Example],
    card: CardText,
    tell_more: Callable[[TrainedHead], str] = lambda _: "",
) -> None:
    encoder = open_encoder()
    trained = _watch(lambda on_progress: train_intent(examples, encoder, on_progress=on_progress))
    save_head(trained, out, encoder=encoder)
    head = open_head(str(out), encoder=encoder, where=str(out))
    write_card(out, card, trained, head, encoder.identity, more=tell_more(trained))
    _show_figures(trained)
    OUT.print(f"wrote {out}", markup=False)


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


def _show_figures(trained: TrainedHead) -> None:
    """Accuracy, calibration and the weakest labels."""
    figures = trained.figures
    OUT.print(f"accuracy on unseen rows: {figures.accuracy}", markup=False)
    for source, estimate in figures.accuracy_by_source.items():
        OUT.print(f"  {source}: {estimate}", markup=False)
    OUT.print(f"calibration error: {figures.calibration_error:.3f}")
    weakest = sorted(figures.recall_by_label.items(), key=lambda item: item[1].value)[:WEAKEST]
    OUT.print("weakest labels (recall):")
    for label, estimate in weakest:
        OUT.print(f"  {label}: {estimate}", markup=False)


def _own_card(data: Path, out: Path, rows: int) -> CardText:
    """The card of a head on a user's rows."""
    return CardText(
        title=out.name,
        task="Labels of a user's own, learned from rows.",
        sources=(f"{data.name}, {rows} rows",),
        split="A fifth of the rows, drawn by group of near-duplicates.",
        limits=(
            "What lacks to one in its scores is the chance that the text means none of the labels.",
            "`min_score` decides what is good enough.",
        ),
    )
