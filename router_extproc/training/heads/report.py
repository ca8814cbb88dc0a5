"""Reports how well a head learned a user's own labels: in words, and as a picture (SVG).

All figures are of rows that were not trained on, the worst labels first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from router_extproc.evaluation.metrics import Estimate
from router_extproc.evaluation.picture import new_picture, save_picture
from router_extproc.training.heads.train import KEPT_SHARE, Confusion, CustomHead

PICTURE_NAME = "report.svg"
#: Lines of each list on screen.
SHOWN = 8
#: Labels in the picture: those that are confused most.
PICTURE_LABELS = 16
#: Of the most rows; a square of more is too dark for a black number.
DARK_SHARE = 0.6
#: Characters of a label in the picture.
LABEL_CHARS = 26


def tell_lines(trained: CustomHead) -> Iterator[str]:
    """The report, line by line."""
    figures = trained.figures
    yield f"accuracy on unseen rows: {figures.accuracy}"
    yield f"calibration error: {figures.calibration_error:.3f}"
    yield from scope_lines(trained)
    yield "weakest labels (recall):"
    yield from (f"  {label}: {estimate}" for label, estimate in weakest(trained))
    if trained.confusions:
        yield "most confused:"
        yield from (f"  {tell_confusion(each)}" for each in trained.confusions[:SHOWN])


def scope_lines(trained: CustomHead) -> Iterator[str]:
    """The threshold and what it does."""
    scope = trained.scope
    kept = f"{KEPT_SHARE:.0%} of the rows in scope score above it"
    if scope.refused is None:
        yield f"out-of-scope threshold: min_score {scope.threshold:.2f} ({kept}; no rows are labelled oos)"
    else:
        refused = f"{scope.refused:.0%} of those out of scope below"
        yield f"out-of-scope threshold: min_score {scope.threshold:.2f} ({kept}, {refused})"
        yield f"out of scope, AUC: {scope.auc}"


def weakest(trained: CustomHead) -> list[tuple[str, Estimate]]:
    """The labels of the lowest recall."""
    return sorted(trained.figures.recall_by_label.items(), key=lambda item: item[1].value)[:SHOWN]


def tell_confusion(confusion: Confusion) -> str:
    """One line."""
    rows = "1 row" if confusion.rows == 1 else f"{confusion.rows} rows"
    return f"{confusion.truth} mistaken for {confusion.said}: {rows}"


# ── picture ───────────────────────────────────────────────────────────────────────────────────


def write_picture(folder: Path, trained: CustomHead) -> Path:
    """Put the picture into the folder.

    Raises:
        ConfigError: matplotlib is not installed.
    """
    target = folder / PICTURE_NAME
    save_picture(draw(trained), target, asked_by="--out")
    return target


def draw(trained: CustomHead) -> Any:  # Any: a matplotlib Figure
    """The weakest labels as bars beside a matrix of the labels that are confused most."""
    labels = confused_labels(trained.confusions)
    figure = new_picture(11, 2 + 0.4 * max(SHOWN, len(labels)), asked_by="--out")
    figure.suptitle(f"accuracy on unseen rows: {trained.figures.accuracy}")
    bars, matrix = figure.subplots(1, 2)
    draw_weakest(bars, weakest(trained))
    if labels:
        draw_matrix(matrix, trained.confusions, labels)
    else:
        matrix.set_axis_off()
    return figure


def draw_weakest(axes: Any, labels: Sequence[tuple[str, Estimate]]) -> None:  # Any: matplotlib's Axes
    """The recall of each label with its interval, the weakest on top."""
    estimates = [estimate for _, estimate in labels]
    values = [each.value for each in estimates]
    below = [each.value - each.low for each in estimates]
    above = [each.high - each.value for each in estimates]
    axes.barh(range(len(labels)), values, xerr=(below, above), color="#9ecae1", capsize=3)
    # A label is a user's own text, not a formula.
    axes.set_yticks(range(len(labels)), [shorten(label) for label, _ in labels], parse_math=False)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_title("weakest labels (recall)")


def confused_labels(confusions: Sequence[Confusion]) -> list[str]:
    """The labels of the worst confusions, at most PICTURE_LABELS."""
    labels = dict.fromkeys(label for each in confusions for label in (each.truth, each.said))
    return list(labels)[:PICTURE_LABELS]


def draw_matrix(
    axes: Any, confusions: Sequence[Confusion], labels: Sequence[str]
) -> None:  # Any: matplotlib's Axes
    """One square a pair: truth down, what was said across; darker is more rows."""
    counts = {(each.truth, each.said): each.rows for each in confusions}
    rows = [[counts.get((truth, said), 0) for said in labels] for truth in labels]
    most = max(counts.values())
    axes.imshow(rows, cmap="Reds", vmin=0, vmax=most)
    names, ticks = [shorten(label) for label in labels], range(len(labels))
    axes.set_yticks(ticks, names, parse_math=False)
    axes.set_xticks(ticks, names, parse_math=False, rotation=90)
    for y, line in enumerate(rows):
        for x, count in enumerate(line):
            if count:
                color = "white" if count > most * DARK_SHARE else "black"
                axes.text(x, y, str(count), ha="center", va="center", color=color)
    axes.set_title("unseen rows: the true label (down),\nthe predicted one (across)")


def shorten(label: str) -> str:
    """A label that fits its room, without signs that cannot be printed."""
    printable = "".join(sign for sign in label if sign.isprintable())
    return printable if len(printable) <= LABEL_CHARS else printable[: LABEL_CHARS - 1] + "…"
