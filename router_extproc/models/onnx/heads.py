"""Heads: small classifiers over an encoder's vectors, each a folder with a graph and a manifest.

A graph takes VECTOR, TASK_VECTOR or both, float32[1, dim], and the IDS of the tokens when it knows words.

It is not an encoder and never sees text. The rule it keeps: a head is only ever given vectors of
the encoder it was trained on. `ClassifierHead` fits `models.base.Classifier`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from router_extproc.errors import ConfigError
from router_extproc.models.base import Encoder, Encoding
from router_extproc.models.onnx.manifest import MANIFEST_NAME, HeadManifest, read_manifest
from router_extproc.models.onnx.session import open_session, run_session
from router_extproc.models.onnx.tensors import TASK_VECTOR, VECTOR

STAGE = "classifier"
HEAD_NAME = "head.onnx"
#: Input of a head's graph that knows words, too: int64[tokens].
IDS = "ids"
#: Output of a head's graph, float32[1, labels]: calibrated; what they lack to one is the chance of none.
SCORES = "scores"
#: Fed for a text without tokens: every graph gets one at least.
NO_IDS = (0,)
#: The heads that come with the package.
ARTIFACTS = Path(__file__).parents[1] / "artifacts"


class ClassifierHead:
    """One graph and the labels of its outputs; safe to call from several threads."""

    def __init__(self, session: ort.InferenceSession, labels: Sequence[str], *, dim: int) -> None:
        self._session = session
        self._labels = tuple(labels)
        self._inputs = frozenset(entry.name for entry in session.get_inputs())
        self.reads_tasks = TASK_VECTOR in self._inputs
        #: Length of the vectors it reads.
        self.dim = dim

    @property
    def labels(self) -> Sequence[str]:
        """See models.base.Classifier."""
        return self._labels

    def scores(self, encoding: Encoding) -> Mapping[str, float]:
        """See models.base.Classifier."""
        # Any: floats and integers.
        known: dict[str, NDArray[Any]] = {
            VECTOR: encoding.vector[None],
            IDS: np.array(encoding.ids or NO_IDS, np.int64),
        }
        if encoding.tasks is not None:
            known[TASK_VECTOR] = encoding.tasks.vector[None]
        elif self.reads_tasks:
            return {}
        feeds = {name: known[name] for name in self._inputs}
        (result,) = run_session(self._session, [SCORES], feeds, stage=STAGE)
        return dict(zip(self._labels, result[0].tolist(), strict=True))


def open_head(model: str, *, encoder: Encoder, where: str) -> ClassifierHead:
    """A shipped head by its name, or one from a folder; `where` is its YAML path.

    Raises:
        ConfigError: there is none, it is damaged, or it reads another encoder's vectors.
    """
    folder = find_head(model, where=where)
    manifest = read_manifest(folder, HeadManifest, where=where)
    if manifest.dim != encoder.dim or manifest.encoder not in {encoder.identity, encoder.task_identity}:
        raise ConfigError(
            where,
            f"{folder} was trained on the vectors of {manifest.encoder}[{manifest.dim}], "
            f"but the encoder is {encoder.identity}[{encoder.dim}]",
        )
    session = open_session(folder / HEAD_NAME, where=where)
    check_signature(session, manifest, folder, where=where)
    return ClassifierHead(session, manifest.labels, dim=manifest.dim)


def find_head(model: str, *, where: str) -> Path:
    """The folder of a head; it has a manifest."""
    shipped = list_heads()
    folder = shipped.get(model, Path(model))
    if not (folder / MANIFEST_NAME).is_file():
        names = ", ".join(sorted(shipped)) or "none"
        raise ConfigError(where, f"no head named '{model}' and no folder of that name (shipped: {names})")
    return folder


def list_heads(artifacts: Path = ARTIFACTS) -> Mapping[str, Path]:
    """The shipped heads by name."""
    return {path.parent.name: path.parent for path in sorted(artifacts.glob(f"*/{HEAD_NAME}"))}


def check_signature(
    session: ort.InferenceSession, manifest: HeadManifest, folder: Path, *, where: str
) -> None:
    """Raise ConfigError unless the graph has inputs and the output that its manifest promises."""
    inputs = {entry.name: entry.shape[-1] for entry in session.get_inputs()}
    outputs = {entry.name: entry.shape[-1] for entry in session.get_outputs()}
    words = inputs.pop(IDS, None)
    reads = inputs.keys() <= {VECTOR, TASK_VECTOR} and set(inputs.values()) == {manifest.dim}
    if isinstance(words, int) or not reads or outputs != {SCORES: len(manifest.labels)}:
        raise ConfigError(where, f"{folder / HEAD_NAME} is not a head of {len(manifest.labels)} labels")
