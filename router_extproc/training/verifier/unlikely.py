"""Fits which pairs the verifier's net need not read, and writes the file beside the verifier.

To be run whenever the shipped verifier, its calibration or the guards have changed. Rows are split by their
first question: one half is fitted to, the other one judges. About ten minutes on one core.

    python -m router_extproc.training.verifier.unlikely --data ../shared/data
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.equivalence import read_question
from router_extproc.evaluation.pairs import SIMILARITY_MIN
from router_extproc.models.base import Encoder, Verifier
from router_extproc.models.onnx.lexical_features import read_evidence
from router_extproc.models.onnx.manifest import read_manifest
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.unlikely import UnlikelyRecord, expand, name_of, read_figures, terms
from router_extproc.models.onnx.verifier_open import (
    ARTIFACT,
    UNLIKELY_NAME,
    VerifierManifest,
    open_verifier,
)
from router_extproc.training.heads.logistic import chances, fit_logistic
from router_extproc.training.verifier.pairs import Pair, plain, read_pairs, split_pairs
from router_extproc.training.verifier.rows import FILES, gather_pairs

Array = NDArray[np.float64]

#: Share of the pairs that the net accepts which may be lost on the fitted half.
LOST_MAX = 0.001
#: The threshold is this much lower than the fitted half allows.
MARGIN = 0.65
RIDGE = 3.0
SEED = 21
#: Pairs that the net was trained on, and pairs made of questions; beside all that it was not.
TRAINED_ROWS, MADE_ROWS, JUDGED_MAX = 20_000, 4_000, 4_000


@dataclass(frozen=True, slots=True)
class Read:
    """Pairs that the net read; one element a pair."""

    #: float64[n, len(terms())].
    columns: Array
    accepted: NDArray[np.bool_]
    #: The half that is fitted to.
    fitted: NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Saved:
    """What skipping saves and costs on some pairs."""

    refused: int
    skipped: int
    accepted: int
    lost: int

    def __str__(self) -> str:
        return (
            f"{self.skipped} of {self.refused} refused skipped, {self.lost} of {self.accepted} accepted lost"
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, write the file, and say what it saves on either half."""
    parser = argparse.ArgumentParser(description="Fit which pairs the verifier's net need not read.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of rows")
    parser.add_argument("--out", type=Path, default=ARTIFACT / UNLIKELY_NAME, help="the file to write")
    chosen = parser.parse_args(arguments)
    manifest = read_manifest(ARTIFACT, VerifierManifest, where="")
    read = read_all(gather(chosen.data), open_verifier(skips_unlikely=False), open_encoder())
    record = fit(read, name_of(manifest.identity, manifest.calibration))
    chosen.out.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    for name, half in (("fitted", read.fitted), ("judged", ~read.fitted)):
        print(f"{name}: {saved(read, record, half)}")  # noqa: T201 - a command's result


def gather(folder: Path) -> Iterator[Pair]:
    """Pairs of every kind that there is."""
    rng = random.Random(SEED)
    rows = gather_pairs(folder, SEED)
    for pairs in rows.judged.values():
        yield from pairs[:JUDGED_MAX]
    trained = split_pairs(read_pairs(folder / FILES["qqp"], "qqp")).train
    for known, wanted in ((trained, TRAINED_ROWS), (rows.made, MADE_ROWS)):
        yield from rng.sample(known, min(wanted, len(known)))


def read_all(pairs: Iterable[Pair], verifier: Verifier, encoder: Encoder) -> Read:
    """The pairs that get as far as the net, and its verdicts."""
    columns, accepted, fitted = [], [], []
    for pair in pairs:
        similarity = float(encoder.encode(pair.cached).vector @ encoder.encode(pair.asked).vector)
        if similarity < SIMILARITY_MIN:
            continue
        verdict = verifier.verify(pair.cached, pair.asked, min(1.0, similarity))
        if verdict.inferred:
            both = read_question(pair.cached), read_question(pair.asked)
            figures = read_figures(*both, similarity, read_evidence(*both).tolist())
            columns.append(expand(figures))
            accepted.append(verdict.accepted)
            fitted.append(is_fitted(pair))
    return Read(np.array(columns), np.array(accepted), np.array(fitted))


def is_fitted(pair: Pair) -> bool:
    """True for one half of the questions."""
    return hashlib.sha256(plain(min(pair.cached, pair.asked)).encode()).digest()[0] % 2 == 0


def fit(read: Read, verifier: str) -> UnlikelyRecord:
    """The model of the fitted half, and the threshold that loses no more there than LOST_MAX."""
    known = read.fitted
    weights = fit_logistic(read.columns[known], read.accepted[known].astype(float), ridge=RIDGE)
    *rounded, offset = (round(float(weight), 5) for weight in weights)
    right = np.sort(chances(read.columns[known & read.accepted], np.array([*rounded, offset])))
    chance_min = MARGIN * float(right[int(LOST_MAX * len(right))])
    return UnlikelyRecord(
        verifier=verifier,
        weights=dict(zip(terms(), rounded, strict=True)),
        offset=offset,
        chance_min=round(chance_min, 5),
    )


def saved(read: Read, record: UnlikelyRecord, half: NDArray[np.bool_]) -> Saved:
    """What the model does on one half."""
    weights = np.array([*record.weights.values(), record.offset])
    skipped = (chances(read.columns, weights) < record.chance_min) & half
    accepted = read.accepted & half
    refused = ~read.accepted & half
    return Saved(
        int(refused.sum()),
        int((skipped & refused).sum()),
        int(accepted.sum()),
        int((skipped & accepted).sum()),
    )


if __name__ == "__main__":
    main()
