"""What `train selection` tells: lines for the terminal, a card and a picture for the folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from router_extproc.evaluation.metrics import Estimate
from router_extproc.evaluation.selection import CurvePoint, SelectionFigures, plot_selection_curve
from router_extproc.training.heads.card import bullets
from router_extproc.training.selection.table import ScoreTable
from router_extproc.training.selection.train import TrainedSelection

PICTURE_NAME = "curve.png"
_SPLIT = (
    "Near-duplicates were kept together, and no prompt was judged by what had seen it. What is kept was then "
    "trained on all prompts. Intervals are 95 %, by drawing prompts again."
)


def figure_lines(figures: SelectionFigures) -> Iterator[str]:
    """The figures of choices."""
    for name, rows in figures.unknown.items():
        yield f"{name} has scores in {rows} rows and was not trained on: they are left out"
    if figures.quality is None or figures.price_per_mtok is None or figures.oracle is None:
        yield f"{figures.rows} rows, none of them with a score of the model that was chosen"
        return
    yield f"{figures.rows} rows, {figures.scored} of them scored"
    yield f"quality: {figures.quality}, at {figures.price_per_mtok:.3f} for a million tokens"
    yield f"best single model: {figures.best_single}, {_told(figures.best_single_quality)}"
    yield f"gain over the best single model: {_told(figures.gain)}"
    yield f"best model for every prompt (oracle): {figures.oracle:.3f}, gap {_told(figures.gap_to_oracle)}"
    yield from _ranking_lines(figures)


def _ranking_lines(figures: SelectionFigures) -> Iterator[str]:
    """Whether expected qualities tell right answers from wrong ones."""
    for name, each in figures.auc.items():
        yield f"{name} answers rightly: AUC {each}"
    if figures.pair is not None:
        yield f"from {figures.pair.weak} to {figures.pair.strong}: APGR {figures.pair.apgr}"
        yield f"kept of {figures.pair.strong} at half of its calls: {figures.pair.kept_at_half}"


def tell_selection(trained: TrainedSelection, table: ScoreTable) -> Iterator[str]:
    """All lines of a training."""
    yield f"{len(table.texts)} prompts, {len(table.models)} models; {trained.judged} of them judged unseen"
    if table.repeated:
        yield f"{table.repeated} rows repeat a prompt: the mean of their scores was taken"
    yield from figure_lines(trained.figures)
    half = quality_at(trained.figures.curve, _single_price(trained) / 2)
    if half is not None:
        yield (
            f"at half of the best single model's price: {half.quality:.3f} (cost_weight {half.cost_weight:g})"
        )
    gain = trained.figures.gain
    if gain is not None and gain.low <= 0:
        yield "these rows do not show that selecting is better than the best single model: add rows"


def write_selection_card(folder: Path, trained: TrainedSelection, table: ScoreTable, data: str) -> None:
    """Put card.md into the folder."""
    parts = [
        f"# {folder.name}",
        "Expected quality of several models' answers, learned from a user's own evaluation table.",
        f"Reads the vectors of `{trained.manifest.encoder}`. From {data}, {len(table.texts)} prompts.",
        "## How it was judged",
        _SPLIT,
        bullets(list(tell_selection(trained, table))),
        "## Models",
        _models_table(trained),
        "## Quality and price",
        _curve_table(trained.figures.curve),
        "## Limits",
        bullets(
            (
                "Of prompts unlike those of the table it knows no more than each model's mean.",
                "Scores are expected to mean the same for every model and prompt.",
                "Text beyond the encoder's window counts by its length alone.",
            )
        ),
    ]
    (folder / "card.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def write_selection_picture(folder: Path, trained: TrainedSelection) -> Path:
    """Put the picture of quality over price into the folder.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    target = folder / PICTURE_NAME
    plot_selection_curve(trained.figures.curve, trained.singles, target, asked_by="--out")
    return target


def quality_at(curve: tuple[CurvePoint, ...], price_max: float) -> CurvePoint | None:
    """The best point that costs no more."""
    allowed = [each for each in curve if each.price_per_mtok <= price_max]
    return max(allowed, key=lambda each: each.quality, default=None)


def _single_price(trained: TrainedSelection) -> float:
    return trained.singles.get(trained.figures.best_single or "", (0.0, 0.0))[0]


def _told(estimate: Estimate | None) -> str:
    return "not known" if estimate is None else str(estimate)


def _models_table(trained: TrainedSelection) -> str:
    lines = ["| model | mean | rows | share | answer tokens |", "|---|---|---|---|---|"]
    lines += [
        f"| {each.name} | {each.mean:.3f} | {each.rows} | "
        f"{trained.figures.shares.get(each.name, 0.0):.2f} | {each.answer_tokens:.0f} |"
        for each in trained.manifest.models
    ]
    return "\n".join(lines)


def _curve_table(curve: tuple[CurvePoint, ...]) -> str:
    lines = ["| cost_weight | quality | price of a million tokens |", "|---|---|---|"]
    lines += [
        f"| {each.cost_weight:g} | {each.quality:.3f} | {each.price_per_mtok:.3f} |" for each in curve[::5]
    ]
    return "\n".join(lines)
