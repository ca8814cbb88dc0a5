"""`router-extproc eval selection`: the choice among models, measured on rows with scores of each."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from router_extproc.cli.output import OUT, JsonOption, print_json
from router_extproc.cli.predictions import collect_predictions
from router_extproc.evaluation.rows import read_rows
from router_extproc.evaluation.selection import judge_selection, predict_selection, read_scores
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.quality import open_quality
from router_extproc.training.selection.report import figure_lines


def selection(
    data: Annotated[Path, typer.Option("--data", metavar="ROWS.jsonl", help="Rows as JSON Lines.")],
    model: Annotated[str, typer.Option(metavar="DIR", help="The folder that `train selection` wrote.")],
    *,
    cost_weight: Annotated[
        float,
        typer.Option(min=0, help="What the dearest model must do better than a free one, from 0 to 1."),
    ] = 0.0,
    predictions: Annotated[
        Path | None,
        typer.Option(metavar="OUT.jsonl", help="Write one prediction for each row, in order."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Choose a model for each row's text: `model`, and the expected quality of each as `scores`.

    Rows with `scores` {model: 0..1} are scored.
    """
    rows = read_rows(data, required=("text",))
    truths = read_scores(data, rows)
    encoder = open_encoder()
    kernel = open_quality(Path(model), encoder=encoder, where="--model")
    texts = [row.text("text") for row in rows]
    predicted = predict_selection(texts, kernel, encoder, cost_weight=cost_weight)
    made = collect_predictions(predicted, len(rows), predictions)
    figures = judge_selection(made, truths, texts, kernel.manifest.models)
    if json:
        print_json(figures)
        return
    for line in figure_lines(figures):
        OUT.print(line, markup=False)
