"""Writes the card of an intent head: what it is for, what it learned from, how good it is.

Every figure has its rows and its interval, and limits are as easy to find as figures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from router_extproc.evaluation.metrics import Estimate
from router_extproc.models.base import Encoding, TaskReading
from router_extproc.models.onnx.heads import HEAD_NAME, ClassifierHead
from router_extproc.training.heads.train import CustomHead

#: Runs that the latency is the median of, and tokens of the text.
LATENCY_RUNS = 500
LATENCY_TOKENS = 32


@dataclass(frozen=True, slots=True)
class CardText:
    """What only a person can say of a head."""

    title: str
    task: str
    #: One line for each source: name, rows, licence.
    sources: Sequence[str]
    #: How rows were kept apart.
    split: str
    limits: Sequence[str]


def write_card(
    folder: Path,
    text: CardText,
    trained: CustomHead,
    head: ClassifierHead,
    encoder: str,
    *,
    more: str = "",
) -> None:
    """Put card.md beside the head; encoder: its identity; more: figures of its own, in Markdown."""
    size = (folder / HEAD_NAME).stat().st_size
    cost = (
        f"Reads the vectors of `{encoder}`. {size / 1e6:.1f} MB, {measure_latency_s(head) * 1e6:.0f} µs "
        "for one vector on one thread (median, the encoder pass not included)."
    )
    split = (
        f"{text.split} Judged on {trained.test_rows} rows by a net trained on the {trained.train_rows} "
        "others; this head was then trained on all of them. Intervals are 95 %."
    )
    parts = [
        f"# {text.title}",
        text.task,
        cost,
        "## Learned from",
        bullets(text.sources),
        "## How it was judged",
        split,
        *([more] if more else []),
        figures_table(trained),
        "## Recall by label",
        estimates_table("label", trained.figures.recall_by_label),
        "## Limits",
        bullets(text.limits),
    ]
    (folder / "card.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")


def bullets(lines: Sequence[str]) -> str:
    """A list."""
    return "\n".join(f"- {line}" for line in lines)


def figures_table(trained: CustomHead) -> str:
    """The accuracies, and how far scores are from the truth."""
    figures = trained.figures
    named = {"all": figures.accuracy, **figures.accuracy_by_source}
    calibration = (
        f"Calibration error of the best score (ECE): {figures.calibration_error:.3f}, at temperature "
        f"{trained.temperature:.2f}."
    )
    return f"{estimates_table('accuracy on', named)}\n\n{calibration}"


def estimates_table(heading: str, estimates: Mapping[str, Estimate]) -> str:
    """One line for each estimate."""
    lines = [f"| {heading} | value | interval | rows |", "|---|---|---|---|"]
    lines += [
        f"| {name} | {each.value:.3f} | {each.low:.3f} to {each.high:.3f} | {each.rows} |"
        for name, each in estimates.items()
    ]
    return "\n".join(lines)


def measure_latency_s(head: ClassifierHead) -> float:
    """Median seconds for one vector."""
    vector = np.full(head.dim, head.dim**-0.5, np.float32)
    encoding = Encoding(vector, 1, truncated=False, tasks=TaskReading(vector), ids=range(LATENCY_TOKENS))
    seconds = []
    for _ in range(LATENCY_RUNS):
        started = time.perf_counter()
        head.scores(encoding)
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))
