"""Opens the verifier at start: the graph that `models build` made, with the calibration it was shipped with.

A missing or damaged one raises a ConfigError with the command that helps.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from router_extproc.equivalence import GUARDED_SIMILARITY_MIN
from router_extproc.errors import ConfigError
from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.models.onnx.home import built_name, home, models_folder, not_built
from router_extproc.models.onnx.lexical_features import EVIDENCE
from router_extproc.models.onnx.manifest import Manifest, read_manifest
from router_extproc.models.onnx.open import open_tokenizer
from router_extproc.models.onnx.pair_net import PairNet
from router_extproc.models.onnx.session import ONE_THREAD, Engine, open_session
from router_extproc.models.onnx.unlikely import Unlikely, name_of, read_unlikely
from router_extproc.models.onnx.verifier import (
    REPHRASED_CHANCE_MIN,
    WINDOW_TOKENS,
    Calibration,
    OnnxVerifier,
)
from router_extproc.models.onnx.window import WindowTokenizer

#: The shipped part.
ARTIFACT = ARTIFACTS / "verifier"
#: Its graphs, once built: token ids to the states of one question; the states of both to the logit.
LOWER_NAME, UPPER_NAME = "lower.onnx", "upper.onnx"
#: Beside the shipped part: what its net need not read.
UNLIKELY_NAME = "unlikely.json"


class CalibrationRecord(BaseModel):
    """See verifier.Calibration; the evidence by its names, so that a change of order cannot pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    logit: float
    similarity: float
    evidence: dict[str, float]
    offset: float
    chance_min: float = Field(gt=0, lt=1)


class VerifierManifest(Manifest):
    """A verifier: its graph, or the upper part of it, and how its logit is read."""

    format: Literal["router-extproc verifier 1"] = "router-extproc verifier 1"
    identity: str
    #: Layers that read each question by itself and come from the source.
    lower_layers: int = Field(ge=1)
    source_sha256: str
    #: With the similarity of the built-in encoder.
    calibration: CalibrationRecord
    #: With any other encoder, whose similarities mean something else.
    calibration_alone: CalibrationRecord


def open_verifier(
    folder: Path | None = None,
    *,
    own_encoder: bool = True,
    reads_refused: bool = False,
    skips_unlikely: bool = True,
    engine: Engine = ONE_THREAD,
    where: str = "semantic_cache",
) -> OnnxVerifier:
    """The verifier of a folder; None: the one that `models build` made.

    own_encoder: similarities come from the built-in encoder; otherwise they are left out of account.
    reads_refused: for evaluation, see OnnxVerifier.
    skips_unlikely: False makes the net read what it has never accepted, to fit anew what that is.

    Raises:
        ConfigError: it has not been built, or is damaged.
    """
    place = folder or built_folder(where=where)
    manifest = read_manifest(place, VerifierManifest, where=where)
    record = manifest.calibration if own_encoder else manifest.calibration_alone
    lower, upper = (
        open_session(place / name, engine=engine, where=where) for name in (LOWER_NAME, UPPER_NAME)
    )
    tokenizer = WindowTokenizer(open_tokenizer(place, where=where), max_tokens=WINDOW_TOKENS)
    return OnnxVerifier(
        PairNet(lower, upper),
        tokenizer,
        calibration_of(record, where=where),
        chance_min=min(record.chance_min, REPHRASED_CHANCE_MIN) if own_encoder else record.chance_min,
        support_similarity_min=GUARDED_SIMILARITY_MIN if own_encoder else None,
        unlikely=open_unlikely(manifest, where=where) if own_encoder and skips_unlikely else None,
        reads_refused=reads_refused,
    )


def open_unlikely(manifest: VerifierManifest, *, where: str) -> Unlikely | None:
    """What this verifier's net need not read; None: nothing is known of it."""
    verifier = name_of(manifest.identity, manifest.calibration)
    return read_unlikely(ARTIFACT / UNLIKELY_NAME, verifier=verifier, where=where)


def built_folder(*, where: str) -> Path:
    """Where `models build` put the shipped verifier."""
    shipped = read_manifest(ARTIFACT, VerifierManifest, where=where)
    folder = models_folder(home()) / built_name(shipped.identity)
    if not folder.is_dir():
        raise not_built("the verifier has", folder, where=where)
    return folder


def calibration_of(record: CalibrationRecord, *, where: str) -> Calibration:
    """The weights in the order of EVIDENCE. Raises ConfigError when they are for other evidence."""
    if set(record.evidence) != set(EVIDENCE):
        raise ConfigError(where, "the verifier was calibrated on other evidence than this version reads")
    weights = tuple(record.evidence[name] for name in EVIDENCE)
    return Calibration(record.logit, record.similarity, weights, record.offset)
