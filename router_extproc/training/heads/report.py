"""Tells a person how a head of their labels fares: in words, and as a picture (SVG).

What is shown is of unseen rows, the worst first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path

from router_extproc.evaluation.metrics import Estimate
from router_extproc.training.heads.train import KEPT_SHARE, Confusion, CustomHead

PICTURE_NAME = "report.svg"
#: Lines of each list on screen.
SHOWN = 8
#: Labels in the picture: those that are confused most.
PICTURE_LABELS = 16
#: Sizes in the picture, in its own units: a cell, room for a label, a line of text.
CELL = 22
LABEL_ROOM = 190
LINE = 20
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
    """Put the picture into the folder."""
    path = folder / PICTURE_NAME
    path.write_text(draw(trained), encoding="utf-8")
    return path


def draw(trained: CustomHead) -> str:
    """The lines of the report beside a matrix of the labels that are confused most."""
    labels = confused_labels(trained.confusions)
    lines = list(tell_lines(trained))
    matrix = "" if not labels else draw_matrix(trained, labels, top=LINE * (len(lines) + 2))
    height = LINE * (len(lines) + 2) + (LABEL_ROOM + CELL * (len(labels) + 1) if labels else 0)
    width = max(760, LABEL_ROOM * 2 + CELL * len(labels))
    words = "".join(
        draw_text(line, x=16 + 16 * line.startswith("  "), y=LINE * (row + 1))
        for row, line in enumerate(lines)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'font-family="sans-serif" font-size="13">'
        f'<rect width="100%" height="100%" fill="white"/>{words}{matrix}</svg>\n'
    )


def confused_labels(confusions: Sequence[Confusion]) -> list[str]:
    """The labels of the worst confusions, at most PICTURE_LABELS."""
    labels = dict.fromkeys(label for each in confusions for label in (each.truth, each.said))
    return list(labels)[:PICTURE_LABELS]


def draw_matrix(trained: CustomHead, labels: Sequence[str], *, top: int) -> str:
    """One square a pair: truth down, what was said across; darker is more rows."""
    counts = {(each.truth, each.said): each.rows for each in trained.confusions}
    most = max(counts.values())
    left, first = LABEL_ROOM + 16, top + LABEL_ROOM
    parts = [draw_text("rows: the true label; columns: the predicted one; unseen rows", x=16, y=top)]
    for row, truth in enumerate(labels):
        y = first + row * CELL
        parts.append(draw_text(shorten(truth), x=left - 8, y=y + 15, anchor="end"))
        for column, said in enumerate(labels):
            rows = counts.get((truth, said), 0)
            parts.append(draw_cell(rows, most, x=left + column * CELL, y=y, own=truth == said))
    for column, said in enumerate(labels):
        x = left + column * CELL + 15
        parts.append(
            f'<g transform="translate({x},{first - 6}) rotate(-90)">{draw_text(shorten(said), x=0, y=0)}</g>'
        )
    return "".join(parts)


def draw_cell(rows: int, most: int, *, x: int, y: int, own: bool) -> str:
    """A square with its number."""
    fill = "#eeeeee" if own else "#d62728"
    strength = 1 if own else rows / most
    number = draw_text(str(rows), x=x + CELL // 2, y=y + 15, anchor="middle") if rows else ""
    return (
        f'<rect x="{x}" y="{y}" width="{CELL}" height="{CELL}" fill="{fill}" '
        f'fill-opacity="{strength:.2f}" stroke="#cccccc"/>{number}'
    )


def draw_text(text: str, *, x: int, y: int, anchor: str = "start") -> str:
    """A line of text."""
    printable = "".join(sign for sign in text.strip() if sign.isprintable())
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}">{escape(printable)}</text>'


def shorten(label: str) -> str:
    """A label that fits its room."""
    return label if len(label) <= LABEL_CHARS else label[: LABEL_CHARS - 1] + "…"
