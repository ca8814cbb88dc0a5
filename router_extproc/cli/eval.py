"""`router-extproc eval`: how well prompts are understood, measured on rows of the user's.

One prediction for every row, in order; rows without a label are predicted and not scored; a file with a
broken row is refused before anything is written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import typer
from rich.markup import escape
from rich.table import Table

from router_extproc.cli.eval_selection import selection
from router_extproc.cli.output import OUT, JsonOption, print_json
from router_extproc.cli.predictions import collect_predictions
from router_extproc.errors import ConfigError
from router_extproc.evaluation.cache_curve import plot_cache_curve
from router_extproc.evaluation.complexity import (
    ComplexityPrediction,
    Outcome,
    curve_of,
    judge_complexity,
    predict_complexity,
    read_outcomes,
)
from router_extproc.evaluation.curve import plot_curve
from router_extproc.evaluation.guard import GuardFigures, GuardReader, judge_guard, predict_guard
from router_extproc.evaluation.intent import IntentFigures, judge_intents, predict_intents
from router_extproc.evaluation.language import judge_languages
from router_extproc.evaluation.metrics import Estimate
from router_extproc.evaluation.pairs import PairFigures, cache_curve_of, judge_pairs, predict_pairs
from router_extproc.evaluation.pii import PiiFigures, judge_spans, predict_spans, read_spans
from router_extproc.evaluation.rows import read_answers, read_labels, read_rows
from router_extproc.models.onnx.heads import open_head
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.screen import open_screen
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.signals import complexity as complexity_signal
from router_extproc.signals.guard import ATTACKS, BENIGN, HEAD, SCORE_MIN, TOOLS_HEAD
from router_extproc.signals.language import find_language

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Measure signals and cache decisions on your own rows.",
    epilog="Example: router-extproc eval intent --data rows.jsonl",
)

DataOption: TypeAlias = Annotated[
    Path, typer.Option("--data", metavar="ROWS.jsonl", help="Rows as JSON Lines.", show_default=False)
]
PredictionsOption: TypeAlias = Annotated[
    Path | None,
    typer.Option("--predictions", metavar="OUT.jsonl", help="Write one prediction for each row, in order."),
]

#: The models of MMLU-Pro's published results that are compared unless others are named.
WEAK_MODEL = "Meta-Llama-3_1-8B-Instruct"
STRONG_MODEL = "Meta-Llama-3_1-70B-Instruct"
#: The field by which a row's text is a tool result: what it was fetched for.
QUESTION = "question"


@app.command(epilog="Example: router-extproc eval intent --data rows.jsonl --predictions out.jsonl")
def intent(
    data: DataOption,
    *,
    model: Annotated[
        str, typer.Option(help="A shipped head, or the folder of one that you trained.", show_default=True)
    ] = "mmlu14",
    predictions: PredictionsOption = None,
    json: JsonOption = False,
) -> None:
    """Label each row's text: `label`, `score` and all `scores`. Rows with a label are scored."""
    rows = read_rows(data, required=("text",))
    truths = read_labels(data, rows)
    encoder = open_encoder()
    head = open_head(model, encoder=encoder, where="--model")
    made = predict_intents([row.text("text") for row in rows], head, encoder)
    figures = judge_intents(collect_predictions(made, len(rows), predictions), truths)
    if json:
        print_json(figures)
    else:
        _show_intent(figures)


@app.command(epilog="Example: router-extproc eval pairs --data pairs.jsonl --json")
def pairs(
    data: DataOption,
    *,
    curve: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw the share of right hits over the share of hits."),
    ] = None,
    predictions: PredictionsOption = None,
    json: JsonOption = False,
) -> None:
    """Decide pairs as the cache does by default: `text_a` is cached, `text_b` is asked.

    A prediction has `similarity`, `score` and `hit`. Label 1 means that the answer to one is right for the
    other. P-CHR AUC is the area under precision over hit ratio, for all thresholds of the score; CRR is the
    share of PR-AUC that it keeps.
    """
    rows = read_rows(data, required=("text_a", "text_b"))
    truths = read_answers(data, rows)
    texts = [(row.text("text_a"), row.text("text_b")) for row in rows]
    made = predict_pairs(texts, open_verifier(reads_refused=True), open_encoder())
    judged = collect_predictions(made, len(rows), predictions)
    if curve is not None:
        drawn = cache_curve_of(judged, truths)
        if drawn is None:
            raise ConfigError("--curve", "no row has the label 1")
        plot_cache_curve(drawn, curve)
    figures = judge_pairs(judged, truths)
    if json:
        print_json(figures)
    else:
        _show_pairs(figures)


@app.command(epilog="Example: router-extproc eval language --data rows.jsonl --json")
def language(data: DataOption, *, predictions: PredictionsOption = None, json: JsonOption = False) -> None:
    """Name each row's language: `lang` (ISO 639-1) and `score`. Rows with a `lang` are scored."""
    rows = read_rows(data, required=("text",))
    truths = read_labels(data, rows, field="lang")
    made = (find_language(row.text("text")) for row in rows)
    figures = judge_languages(collect_predictions(made, len(rows), predictions), truths)
    if json:
        print_json(figures)
    else:
        recalls = {f"recall of {escape(lang)}": recall for lang, recall in figures.recalls.items()}
        _show({"accuracy": figures.accuracy, **recalls}, figures.rows, figures.labelled)


@app.command(epilog="Example: router-extproc eval pii --data rows.jsonl --predictions out.jsonl")
def pii(data: DataOption, *, predictions: PredictionsOption = None, json: JsonOption = False) -> None:
    """Find personal facts in each row's text: `spans` [{start, end, type}]; offsets count code points.

    Rows with `spans` are scored: a hit has the same start, end and kind.
    """
    rows = read_rows(data, required=("text",))
    truths = read_spans(data, rows)
    made = predict_spans([row.text("text") for row in rows], open_encoder())
    figures = judge_spans(collect_predictions(made, len(rows), predictions), truths)
    if json:
        print_json(figures)
    else:
        _show_pii(figures)


@app.command(epilog="Example: router-extproc eval guard --data rows.jsonl --json")
def guard(data: DataOption, *, predictions: PredictionsOption = None, json: JsonOption = False) -> None:
    """Judge each row's text: `attack`, `score` and `kind` (jailbreak or injection).

    A row that also has the `question` that its text is to answer is a tool result; others are prompts. Rows
    with the `label` benign, jailbreak or injection are scored.
    """
    rows = read_rows(data, required=("text",))
    truths = read_labels(data, rows)
    texts = [row.text("text") for row in rows]
    are_tool_results = [QUESTION in row.fields for row in rows]
    predicted = predict_guard(texts, are_tool_results, open_guard())
    made = collect_predictions(predicted, len(rows), predictions)
    judged = [place for place, truth in enumerate(truths) if truth in (BENIGN, *ATTACKS)]
    figures = judge_guard(
        np.array([made[place].score for place in judged], np.float64),
        [str(truths[place]) for place in judged],
        [len(texts[place]) for place in judged],
    )
    if json:
        print_json(figures)
    else:
        _show_guard(figures, len(rows))


@app.command(epilog="Example: router-extproc eval complexity --data rows.jsonl --curve out.png")
def complexity(
    data: DataOption,
    *,
    curve: Annotated[
        Path | None,
        typer.Option(metavar="OUT.png", help="Draw quality over the strong model's share of calls."),
    ] = None,
    weak: Annotated[str, typer.Option(help="The weak model's name in a row's `correct`.")] = WEAK_MODEL,
    strong: Annotated[str, typer.Option(help="The strong model's name in a row's `correct`.")] = STRONG_MODEL,
    predictions: PredictionsOption = None,
    json: JsonOption = False,
) -> None:
    """Judge each row's text: `score`, the chance that a weak model fails.

    Rows with `weak_correct` (and `strong_correct`), or with `correct` and its results by model, are scored.
    """
    rows = read_rows(data, required=("text",))
    outcomes = read_outcomes(data, rows, weak=weak, strong=strong)
    encoder = open_encoder()
    head = open_head(complexity_signal.HEAD, encoder=encoder, where="complexity")
    made = predict_complexity([row.text("text") for row in rows], head, encoder)
    judged = collect_predictions(made, len(rows), predictions)
    if curve is not None:
        _draw(judged, outcomes, curve)
    figures = judge_complexity(judged, outcomes)
    if json:
        print_json(figures)
    else:
        _show({"AUC of failures": figures.auc}, figures.rows, figures.labelled)
        for name, value in (("APGR", figures.apgr), ("kept at half", figures.kept_at_half)):
            OUT.print(f"{name}: {'none' if value is None else f'{value:.3f}'}")


app.command(epilog="Example: router-extproc eval selection --model selections/mine --data rows.jsonl --json")(
    selection
)


def open_guard() -> GuardReader:
    """The guard over the built-in encoder."""
    encoder = open_encoder()
    prompts, documents = (open_head(name, encoder=encoder, where="guard") for name in (HEAD, TOOLS_HEAD))
    screen = open_screen(TOOLS_HEAD, where="guard")
    return GuardReader(prompts, documents, screen, encoder, score_min=SCORE_MIN)


def _draw(judged: Sequence[ComplexityPrediction], outcomes: Sequence[Outcome], target: Path) -> None:
    drawn = curve_of(judged, outcomes)
    if drawn is None:
        raise ConfigError("--curve", "no row says what both models did")
    plot_curve(drawn, target)


def _show_intent(figures: IntentFigures) -> None:
    scope = {"accuracy in scope": figures.accuracy_in_scope, "AUC of out of scope": figures.auc_out_of_scope}
    known = {name: each for name, each in scope.items() if each is not None}
    _show({"accuracy": figures.accuracy, **known}, figures.rows, figures.labelled)
    if figures.calibration_error is not None:
        OUT.print(f"calibration error (ECE): {figures.calibration_error:.3f}")
        table = Table("label", "rows", "precision", "recall", box=None)
        for label, each in figures.labels.items():
            rows = each.recall.rows if each.recall else 0
            table.add_row(escape(label), str(rows), _tell_short(each.precision), _tell_short(each.recall))
        OUT.print(table)


def _show_pairs(figures: PairFigures) -> None:
    estimates = {
        "hits": figures.hit_rate,
        "precision": figures.precision,
        "recall": figures.recall,
        "AUC of the score": figures.auc_score,
        "AUC of the similarity": figures.auc_similarity,
    }
    _show(estimates, figures.rows, figures.labelled)
    if figures.p_chr_auc is not None:
        OUT.print(f"P-CHR AUC: {figures.p_chr_auc:.3f} (at most {figures.p_chr_auc_max:.3f})")
        OUT.print(f"PR-AUC: {figures.pr_auc:.3f}, of which P-CHR AUC keeps (CRR): {figures.crr:.3f}")


def _show_guard(figures: GuardFigures, rows: int) -> None:
    recalls = {f"recall of {kind}": recall for kind, recall in figures.recalls.items()}
    estimates = {"AUC": figures.auc, "recall at 1 % false alarms": figures.recall, **recalls}
    _show({**estimates, "AUC of length alone": figures.auc_of_length}, rows, figures.rows)


def _show_pii(figures: PiiFigures) -> None:
    _show({"false alarms": figures.false_alarms}, figures.rows, figures.labelled)
    table = Table("kind", "F1", "precision", "recall", box=None)
    groups = {"all of fixed form": figures.structured, "all names": figures.names}
    for kind, each in {**groups, **figures.kinds}.items():
        f1 = "none" if each.f1 is None else f"{each.f1:.3f}"
        table.add_row(kind, f1, _tell_short(each.precision), _tell_short(each.recall))
    OUT.print(table)


def _show(estimates: Mapping[str, Estimate | None], rows: int, labelled: int) -> None:
    OUT.print(f"{rows} rows, {labelled} of them labelled")
    table = Table("figure", "value (95 % interval)", box=None)
    for name, estimate in estimates.items():
        table.add_row(name, _tell(estimate))
    OUT.print(table)


def _tell(estimate: Estimate | None) -> str:
    return "none" if estimate is None else str(estimate)


def _tell_short(estimate: Estimate | None) -> str:
    """For tables with several of them side by side."""
    return "none" if estimate is None else f"{estimate.value:.3f} ({estimate.low:.2f} to {estimate.high:.2f})"
