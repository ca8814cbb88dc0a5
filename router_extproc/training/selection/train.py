"""Trains the expected quality of models: table in; a kernel and its figures out.

Every figure is of prompts whose near-duplicates were not trained on; the kernel that is kept is then trained
on all rows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.encode import encode_chunks
from router_extproc.evaluation.selection import SelectionFigures, cost_matrix, judge_choices
from router_extproc.models.base import Encoder, Encoding
from router_extproc.models.onnx.quality import KernelParts, ModelRecord, QualityManifest, inputs_of
from router_extproc.models.text_features import FEATURES, VERSION
from router_extproc.training.heads.groups import GROUP_SHARE_MAX, group_rows
from router_extproc.training.selection.fit import Inputs, KernelPlan, Matrix, expect, fit_kernel, folds_of
from router_extproc.training.selection.table import ScoreTable

OnProgress: TypeAlias = Callable[[str, float], None]
#: Parts that rows are split into; of many rows one part is judged, of few each in turn.
PARTS: Final = 5
FEW_ROWS: Final = 10_000
#: A group of so many is judged however few rows there are.
GROUP_ROWS: Final = 60


@dataclass(frozen=True, slots=True)
class TrainedSelection:
    """A kernel of all rows, and what its like reached on unseen ones."""

    parts: KernelParts
    manifest: QualityManifest
    figures: SelectionFigures
    #: Price of a million tokens and quality on the judged rows, of each model by itself.
    singles: dict[str, tuple[float, float]]
    #: Rows that were judged.
    judged: int


def train_selection(
    table: ScoreTable, encoder: Encoder, on_progress: OnProgress = lambda _step, _share: None
) -> TrainedSelection:
    """Encode, judge on held-back groups, then train on everything."""
    encodings = _encode(table.texts, encoder, on_progress)
    inputs = _inputs(table.texts, encodings, encoder)
    groups = group_rows(table.texts, np.array([each.vector for each in encodings]))
    judged, q = _judge(inputs, table.scores, groups, on_progress)
    parts, plan = fit_kernel(inputs, table.scores, groups)
    on_progress("train", 1.0)
    manifest = _manifest(table, encoder, plan)
    texts = [table.texts[place] for place in np.flatnonzero(judged).tolist()]
    s, c = table.scores[judged], cost_matrix(texts, manifest.models)
    figures = judge_choices(np.argmax(q, axis=1), q, s, c, manifest.models)
    return TrainedSelection(parts, manifest, figures, _singles(s, manifest.models), len(texts))


def _encode(texts: Sequence[str], encoder: Encoder, on_progress: OnProgress) -> list[Encoding]:
    encodings: list[Encoding] = []
    for chunk in encode_chunks(texts, encoder, tasks=encoder.task_identity is not None):
        encodings += chunk
        on_progress("encode", len(encodings) / len(texts))
    return encodings


def _inputs(texts: Sequence[str], encodings: Sequence[Encoding], encoder: Encoder) -> Inputs:
    tasks = encoder.task_identity is not None
    pairs = zip(texts, encodings, strict=True)
    read = [inputs for text, each in pairs if (inputs := inputs_of(text, each, tasks=tasks)) is not None]
    vectors = (encoder.dim,) * (2 if tasks else 1)
    return Inputs(np.array(read, np.float64), (*vectors, len(FEATURES)))


def _judge(
    inputs: Inputs, s: Matrix, groups: NDArray[np.int64], on_progress: OnProgress
) -> tuple[NDArray[np.bool_], Matrix]:
    """Which rows were judged, and what was expected of them by kernels that had not seen them."""
    folds = folds_of(groups, PARTS)
    asked = range(PARTS) if len(s) < FEW_ROWS else range(1)
    expected = np.full(s.shape, np.nan)
    for fold in asked:
        test = folds == fold
        parts, plan = fit_kernel(Inputs(inputs.x[~test], inputs.kinds), s[~test], groups[~test])
        expected[test] = expect(parts, plan, inputs.x[test])
        on_progress("judge", (fold + 1) / len(asked))
    judged = np.isin(folds, list(asked)) & ~_is_crowd(groups)
    return judged, expected[judged]


def _is_crowd(groups: NDArray[np.int64]) -> NDArray[np.bool_]:
    """True for rows of a group so large that one template would be the figure."""
    _, places, counts = np.unique(groups, return_inverse=True, return_counts=True)
    return np.asarray(counts[places] > max(GROUP_ROWS, GROUP_SHARE_MAX * len(groups)), np.bool_)


def _manifest(table: ScoreTable, encoder: Encoder, plan: KernelPlan) -> QualityManifest:
    known = ~np.isnan(table.scores)
    return QualityManifest(
        files={},
        models=tuple(
            ModelRecord(
                name=name,
                mean=float(table.scores[known[:, place], place].mean()),
                rows=int(known[:, place].sum()),
                input_per_mtok=table.prices[name].input_per_mtok,
                output_per_mtok=table.prices[name].output_per_mtok,
                answer_tokens=table.answer_tokens[name],
            )
            for place, name in enumerate(table.models)
        ),
        encoder=encoder.identity,
        tasks=encoder.task_identity,
        dim=encoder.dim,
        features=VERSION,
        gamma=plan.gamma,
        rows=len(table.texts),
    )


def _singles(s: Matrix, models: Sequence[ModelRecord]) -> dict[str, tuple[float, float]]:
    return {
        each.name: ((each.input_per_mtok + each.output_per_mtok) / 2, float(np.nanmean(s[:, place])))
        for place, each in enumerate(models)
        if not np.isnan(s[:, place]).all()
    }
