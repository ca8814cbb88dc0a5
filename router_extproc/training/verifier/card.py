"""Judges the verifier on pairs that it was not trained on, and writes its card.

Figures on the rows that the calibration was fitted to are taken across folds, and every share has its
rows and its interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from router_extproc.equivalence import GUARDED_SIMILARITY_MIN, GUARDS, read_question
from router_extproc.evaluation.metrics import auc, calibration_error, share
from router_extproc.models.base import Encoder
from router_extproc.models.onnx.enough import SUPPORTED_CHANCE_MIN
from router_extproc.models.onnx.lexical_features import EVIDENCE, read_evidence
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.models.onnx.tensors import LOGIT
from router_extproc.models.onnx.verifier import VETOES, find_refusal
from router_extproc.models.onnx.verifier_open import CalibrationRecord
from router_extproc.models.onnx.window import WindowTokenizer
from router_extproc.training.heads.logistic import chances, fit_logistic
from router_extproc.training.verifier.pairs import Pair

Array = NDArray[np.float64]

#: Folds across which the calibration is judged.
FOLDS = 4
#: Weight of other pairs (PAWS, made ones) beside Quora's in the calibration.
OTHER_WEIGHT = 0.5
SEED = 7


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a set of pairs; one element a pair."""

    labels: Array
    logits: Array
    similarities: Array
    #: float64[n, len(EVIDENCE)].
    evidence: Array
    #: No guard with the last word objects.
    passed: NDArray[np.bool_]
    #: No guard objects at all, and the similarity is one from which guards vouch.
    supported: NDArray[np.bool_]

    def hits(self, chance: Array, chance_min: float, *, with_support: bool) -> NDArray[np.bool_]:
        """What is accepted, as OnnxVerifier decides."""
        enough = chance >= chance_min
        if with_support:
            enough |= self.supported & (chance >= SUPPORTED_CHANCE_MIN)
        return enough & self.passed

    def columns(self, *, own_encoder: bool) -> Array:
        """Logit, similarity (0 for a foreign encoder) and evidence, float64[n, 2 + len(EVIDENCE)]."""
        similarities = self.similarities if own_encoder else np.zeros_like(self.similarities)
        return np.column_stack([self.logits, similarities, self.evidence])


def judge_pairs(pairs: Sequence[Pair], graph: Path, tokenizer: WindowTokenizer, encoder: Encoder) -> Judged:
    """Run everything that the verifier looks at, over every pair."""
    session = open_session(graph, where="")
    questions = [(read_question(pair.cached), read_question(pair.asked)) for pair in pairs]
    similarities = similarities_of(pairs, encoder)
    unopposed = np.array([find_refusal(GUARDS, *both) is None for both in questions])
    return Judged(
        labels=np.array([pair.label for pair in pairs], float),
        logits=np.array([read_logit(session, pair, tokenizer) for pair in pairs]),
        similarities=similarities,
        evidence=np.array([read_evidence(*both) for both in questions]),
        passed=np.array([find_refusal(VETOES, *both) is None for both in questions]),
        supported=unopposed & (similarities >= GUARDED_SIMILARITY_MIN),
    )


def read_logit(session: ort.InferenceSession, pair: Pair, tokenizer: WindowTokenizer) -> float:
    """What the net says of a pair."""
    feeds = {
        "cached_ids": np.array([tokenizer.read(pair.cached).ids], np.int32),
        "asked_ids": np.array([tokenizer.read(pair.asked).ids], np.int32),
    }
    (logit,) = run_session(session, [LOGIT], feeds, stage="training")
    return float(logit[0])


def similarities_of(pairs: Sequence[Pair], encoder: Encoder) -> Array:
    """Cosine of both questions' vectors."""
    return np.array(
        [float(encoder.encode(pair.cached).vector @ encoder.encode(pair.asked).vector) for pair in pairs]
    )


def join_judged(*parts: Judged) -> Judged:
    """All pairs in one."""
    return Judged(
        *(
            np.concatenate([getattr(part, name) for part in parts])
            for name in ("labels", "logits", "similarities", "evidence", "passed", "supported", "exchanged")
        )
    )


def calibrate(quora: Judged, others: Sequence[Judged], *, own_encoder: bool) -> tuple[Array, Array]:
    """Weights fitted to all, and the chances of Quora's pairs as judged across folds."""
    both = join_judged(quora, *others)
    columns, rows = both.columns(own_encoder=own_encoder), len(quora.labels)
    weight = np.where(np.arange(len(both.labels)) < rows, 1.0, OTHER_WEIGHT)
    fold = np.random.default_rng(SEED).integers(0, FOLDS, len(both.labels))
    crossed = np.zeros(len(both.labels))
    for number in range(FOLDS):
        out = fold == number
        fitted = fit_logistic(columns[~out], both.labels[~out], weight=weight[~out])
        crossed[out] = chances(columns[out], fitted)
    return fit_logistic(columns, both.labels, weight=weight), crossed[:rows]


def choose_chance(quora: Judged, crossed: Array, *, precision_min: float) -> float:
    """The lowest chance from which on Quora's pairs are accepted with this precision."""
    order = np.argsort(-np.where(quora.passed, crossed, -1.0))
    precision = np.cumsum(quora.labels[order]) / np.arange(1, len(order) + 1)
    enough = [place for place in np.flatnonzero(precision >= precision_min) if quora.passed[order[place]]]
    return float(crossed[order[enough[-1]]])


def record_of(weights: Array, chance_min: float) -> CalibrationRecord:
    """The calibration as it is shipped."""
    logit, similarity, *evidence, offset = (round(float(weight), 5) for weight in weights)
    return CalibrationRecord(
        logit=logit,
        similarity=similarity,
        evidence=dict(zip(EVIDENCE, evidence, strict=True)),
        offset=offset,
        chance_min=round(chance_min, 4),
    )


def figures_table(
    parts: Mapping[str, tuple[Judged, Array]], chance_min: float, *, with_support: bool = False
) -> str:
    """A Markdown table: what is accepted of each set, and how much of it is right."""
    head = "| pairs | AUC | precision | recall | false hits |\n|---|---|---|---|---|"
    rows = [
        figures_row(name, judged, chance, judged.hits(chance, chance_min, with_support=with_support))
        for name, (judged, chance) in parts.items()
    ]
    return "\n".join([head, *rows])


def figures_row(name: str, judged: Judged, chance: Array, hit: NDArray[np.bool_]) -> str:
    """One set's row; a cell is empty where the set has no such pairs."""
    same = judged.labels == 1
    cells = (
        auc(same, np.where(judged.passed, chance, chance / 2)),
        share(int((hit & same).sum()), int(hit.sum())) if same.any() and not same.all() else None,
        share(int((hit & same).sum()), int(same.sum())),
        share(int((hit & ~same).sum()), int((~same).sum())),
    )
    return f"| {name} | " + " | ".join(str(cell) if cell else "" for cell in cells) + " |"


def calibration_of_scores(judged: Judged, chance: Array) -> float:
    """Expected calibration error of the score on pairs that pass the guards."""
    passed = judged.passed
    return calibration_error(judged.labels[passed] == 1, chance[passed])
