"""Judges the task layers as they are shipped, int8, over rows that it never saw.

Figures are of the artifact's own graph, not of the net it was made from; every figure has its interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.progress import track

from router_extproc.evaluation.metrics import Estimate, share
from router_extproc.models.base import NameSpan
from router_extproc.models.onnx.entities import read_names
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.models.onnx.task_layers import TASKS_NAME
from router_extproc.models.onnx.tensors import STATES, TAG_SCORES, TASK_VECTOR
from router_extproc.signals.pii.names import NAME_SCORE_MIN
from router_extproc.training.task_layers.rows import SPAN_KINDS, TaskRow
from router_extproc.training.task_layers.states import States
from router_extproc.training.task_layers.task_head import Read


@dataclass(frozen=True, slots=True)
class Judged:
    """Rows of one kind with what the layers say of them."""

    rows: Sequence[TaskRow]
    read: Read
    names: Sequence[tuple[NameSpan, ...]]

    def part(self, places: slice | Sequence[int]) -> Judged:
        """Some of the rows."""
        chosen = range(len(self.rows))[places] if isinstance(places, slice) else places
        return Judged(
            rows=[self.rows[place] for place in chosen],
            read=Read(
                self.read.tasks[list(chosen)],
                self.read.vectors[list(chosen)],
                [self.read.texts[place] for place in chosen],
            ),
            names=[self.names[place] for place in chosen],
        )


def judge_rows(rows: Sequence[TaskRow], states: States, folder: Path) -> Judged:
    """Run the artifact's layers over the rows."""
    session = open_session(folder / TASKS_NAME, where="")
    vectors, names = [], []
    for row in track(rows, "judge", transient=True):
        place = states.of(row.text)
        hidden = states.hidden[place].astype(np.float32)[None]
        vector, tags = run_session(session, [TASK_VECTOR, TAG_SCORES], {STATES: hidden}, stage="training")
        vectors.append(vector[0])
        offsets = [(int(start), int(end)) for start, end in states.offsets[place]]
        names.append(read_names(tags[0], offsets, row.text, SPAN_KINDS))
    own = states.vectors[[states.place[row.text] for row in rows]]
    texts = [states.tokens(row.text) for row in rows]
    return Judged(rows, Read(np.stack(vectors), own, texts), names)


@dataclass(frozen=True, slots=True)
class NameFigures:
    """How good names and places are, exact spans and kinds."""

    precision: Estimate | None
    recall: Estimate | None
    f1: float
    f1_by_kind: dict[str, float]
    #: Share of everyday prompts in which anything was found.
    false_alarms: Estimate | None


def judge_names(judged: Judged, *, score_min: float = NAME_SCORE_MIN) -> NameFigures:
    """The figures over labelled rows; everyday rows count as false alarms only."""
    pairs = [
        (row.source, spans_of(names, score_min), frozenset(row.spans or ()))
        for row, names in zip(judged.rows, judged.names, strict=True)
    ]
    labelled = [(ours, theirs) for source, ours, theirs in pairs if source != "everyday"]
    clean = [bool(ours) for source, ours, _ in pairs if source == "everyday"]
    found, there, hits = count(labelled, range(len(SPAN_KINDS)))
    return NameFigures(
        precision=share(hits, found),
        recall=share(hits, there),
        f1=f1_of(found, there, hits),
        f1_by_kind={name: f1_of(*count(labelled, [index])) for index, name in enumerate(SPAN_KINDS)},
        false_alarms=share(sum(clean), len(clean)),
    )


Spans = frozenset[tuple[int, int, int]]


def spans_of(names: Sequence[NameSpan], score_min: float) -> Spans:
    """As rows have them."""
    return frozenset(
        (name.start, name.end, SPAN_KINDS.index(name.kind)) for name in names if name.score >= score_min
    )


def count(pairs: Sequence[tuple[Spans, Spans]], kinds: Sequence[int]) -> tuple[int, int, int]:
    """(found, there, both) over some kinds."""
    found = there = hits = 0
    for ours, theirs in pairs:
        mine, wanted = ({span for span in spans if span[2] in kinds} for spans in (ours, theirs))
        found, there, hits = found + len(mine), there + len(wanted), hits + len(mine & wanted)
    return found, there, hits


def f1_of(found: int, there: int, hits: int) -> float:
    """Harmonic mean of precision and recall; 0 where nothing is there."""
    return 2 * hits / (found + there) if found + there else 0.0
