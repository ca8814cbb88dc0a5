"""Makes the shipped artifact `verifier`: trains, calibrates, judges, writes graph, manifest and card.

Rows are read where they lie and never copied. About an hour on two cores.

    python -m router_extproc.training.verifier.ship --data ../shared/data --work build/verifier
"""

from __future__ import annotations

import argparse
import random
import shutil
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from router_extproc.equivalence import GUARDS, read_question
from router_extproc.models.onnx.building.encoder import plain_tokenizer
from router_extproc.models.onnx.building.source import Source
from router_extproc.models.onnx.building.weights import opened_weights
from router_extproc.models.onnx.manifest import record_file, record_files, write_manifest
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.models.onnx.tensors import LOGIT
from router_extproc.models.onnx.verifier import WINDOW_TOKENS
from router_extproc.models.onnx.verifier_open import ARTIFACT, UPPER_NAME, CalibrationRecord, VerifierManifest
from router_extproc.models.onnx.window import WindowTokenizer
from router_extproc.training.heads.logistic import chances
from router_extproc.training.text.contrast import change_number, make_contrast
from router_extproc.training.text.rephrase import make_rephrasing
from router_extproc.training.verifier.card import (
    Array,
    Judged,
    calibrate,
    calibration_of_scores,
    choose_chance,
    figures_table,
    judge_pairs,
    read_logit,
    record_of,
)
from router_extproc.training.verifier.net import SHARED_LAYERS
from router_extproc.training.verifier.pairs import Pair, read_pairs
from router_extproc.training.verifier.rows import PairRows, gather_pairs
from router_extproc.training.verifier.text import CardFigures, write_text
from router_extproc.training.verifier.train import Exported, export_verifier, train_verifier

#: Followed by the beginning of the trained layers' checksum.
IDENTITY = "minilm-verifier-int8"
#: Precision on Quora's development pairs at the default operating point.
PRECISION_MIN = 0.91
SEED = 99
#: Questions that number swaps, contrasts and rephrasings are made of for judging, each.
MADE_ROWS = 400
#: For latency: tokens of one question, the first of them, runs.
SHORT_TOKENS, SOME_WORD, LATENCY_RUNS = 16, 2000, 100
#: Pairs over which int8 is compared with float32.
DIFFERENCE_ROWS = 200
#: Pairs judged of the large sets that are easy.
JUDGED_MAX = {"rqe": 800, "banking": 400}


@dataclass(frozen=True, slots=True)
class Attempt:
    """All sets as the verifier sees them, and how it is calibrated."""

    parts: Mapping[str, tuple[Judged, Array]]
    record: CalibrationRecord


def main(arguments: Sequence[str] | None = None) -> None:
    """Train if need be, and write the artifact."""
    parser = argparse.ArgumentParser(description="Train and ship the cache's verifier.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of rows")
    parser.add_argument("--work", type=Path, required=True, help="checkpoints and graphs; reused when there")
    parser.add_argument("--questions", type=Path, help="hand-written pairs to judge by as well")
    parser.add_argument("--pause-file", type=Path, help="training sleeps while this file exists")
    chosen = parser.parse_args(arguments)
    rows = gather_pairs(chosen.data, SEED)
    with opened_weights() as open_source:
        source = open_source()
        net = train_verifier(rows, source, chosen.work, chosen.pause_file)
        exported = export_verifier(net, source, chosen.work)
        sets = judged_sets(rows, chosen.questions)
        ship(exported, source, sets, ARTIFACT)


def judged_sets(rows: PairRows, questions: Path | None) -> dict[str, list[Pair]]:
    """Pairs by name; made ones come from questions that training never saw."""
    rng = random.Random(SEED)
    sets = {name: pairs[: JUDGED_MAX.get(name)] for name, pairs in rows.judged.items()}
    asked = sorted({pair.cached for name in ("quora", "quora health") for pair in rows.judged[name]})
    rng.shuffle(asked)
    for name, change, label in (
        ("number swaps", change_number, 0),
        ("contrasts", make_contrast, 0),
        ("rephrasings", make_rephrasing, 1),
    ):
        changed = ((text, change(text, rng)) for text in asked)
        sets[name] = [Pair(text, other, label, "made") for text, other in changed if other][:MADE_ROWS]
    if questions:
        sets["hand-written"] = read_pairs(questions, "hand")
    return sets


def ship(exported: Exported, source: Source, sets: Mapping[str, Sequence[Pair]], folder: Path) -> None:
    """Calibrate on the development pairs, judge every set, write the artifact."""
    encoder = open_encoder()
    tokenizer = WindowTokenizer(plain_tokenizer(source.tokenizer), max_tokens=WINDOW_TOKENS)
    judged = {name: judge_pairs(pairs, exported.whole, tokenizer, encoder) for name, pairs in sets.items()}
    own, alone = (make_attempt(judged, own_encoder=own_encoder) for own_encoder in (True, False))
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(exported.upper, folder / UPPER_NAME)
    files = record_files(folder, (UPPER_NAME,))
    manifest = VerifierManifest(
        files=files,
        identity=f"{IDENTITY}-{files[UPPER_NAME].sha256[:8]}",
        lower_layers=SHARED_LAYERS,
        source_sha256=record_file(source.weights).sha256,
        calibration=own.record,
        calibration_alone=alone.record,
    )
    write_manifest(folder, manifest)
    logits = own.parts["quora"][0].logits
    difference = measure_difference(sets["quora"], logits, exported.whole_float, tokenizer)
    figures = measure(own, alone, vetoed(sets, own), exported, difference)
    (folder / "card.md").write_text(write_text(figures), encoding="utf-8")


def make_attempt(judged: Mapping[str, Judged], *, own_encoder: bool) -> Attempt:
    """Calibrate on the development pairs and on half of the made ones; apply it to every set."""
    quora = judged["quora"]
    others = [judged["paws"], *(every_second(judged[name]) for name in ("contrasts", "rephrasings"))]
    weights, crossed = calibrate(quora, others, own_encoder=own_encoder)
    parts = {
        name: (part, chances(part.columns(own_encoder=own_encoder), weights)) for name, part in judged.items()
    }
    parts["quora"] = (quora, crossed)
    record = record_of(weights, choose_chance(quora, crossed, precision_min=PRECISION_MIN))
    return Attempt(parts, record)


def every_second(judged: Judged) -> Judged:
    """Every second pair; the others are new to the calibration."""
    return Judged(*(getattr(judged, field.name)[::2] for field in fields(Judged)))


def vetoed(sets: Mapping[str, Sequence[Pair]], attempt: Attempt) -> Mapping[str, tuple[Judged, Array]]:
    """The trial's sets as they would be with every guard as a veto."""
    parts = {}
    for name, (part, chance) in attempt.parts.items():
        questions = [(read_question(pair.cached), read_question(pair.asked)) for pair in sets[name]]
        passed = np.array([all(guard(*both) is None for guard in GUARDS) for both in questions])
        parts[name] = (replace(part, passed=passed), chance)
    return parts


def measure(
    own: Attempt,
    alone: Attempt,
    with_vetoes: Mapping[str, tuple[Judged, Array]],
    exported: Exported,
    difference: float,
) -> CardFigures:
    """Everything the card says in numbers."""
    ids = np.arange(SHORT_TOKENS, dtype=np.int32)[None] + SOME_WORD
    return CardFigures(
        table=figures_table(own.parts, own.record.chance_min, with_support=True),
        table_net=figures_table(own.parts, own.record.chance_min),
        table_alone=figures_table(alone.parts, alone.record.chance_min),
        table_vetoes=figures_table(with_vetoes, own.record.chance_min),
        chance_min=own.record.chance_min,
        chance_min_alone=alone.record.chance_min,
        calibration_error=calibration_of_scores(*own.parts["quora"]),
        size_bytes=exported.upper.stat().st_size,
        latency_s=measure_latency_s(open_session(exported.whole, where=""), ids),
        int8_difference=difference,
    )


def measure_latency_s(session: ort.InferenceSession, ids: NDArray[np.int32]) -> float:
    """Median time of one pair on one thread."""
    times = []
    for _ in range(LATENCY_RUNS):
        start = time.perf_counter()
        run_session(session, [LOGIT], {"cached_ids": ids, "asked_ids": ids}, stage="training")
        times.append(time.perf_counter() - start)
    return float(np.median(times))


def measure_difference(
    pairs: Sequence[Pair], int8: Array, whole_float: Path, tokenizer: WindowTokenizer
) -> float:
    """Mean distance between the int8 graph's logits and float32's, over the first pairs."""
    graph = open_session(whole_float, where="")
    full = [read_logit(graph, pair, tokenizer) for pair in pairs[:DIFFERENCE_ROWS]]
    return float(np.abs(int8[: len(full)] - full).mean())


if __name__ == "__main__":
    main()
