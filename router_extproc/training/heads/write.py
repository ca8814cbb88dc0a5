"""Puts a head's graph into its folder, with a manifest.

The same graph gives the same bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import onnx

from router_extproc.models.onnx.heads import HEAD_NAME
from router_extproc.models.onnx.manifest import HeadManifest, record_files, write_manifest


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """What a head's manifest says of it."""

    name: str
    labels: Sequence[str]
    #: Identity of what made the vectors.
    encoder: str
    dim: int
    temperature: float


def write_graph(folder: Path, graph: onnx.ModelProto, facts: HeadFacts) -> HeadManifest:
    """Put a graph and its manifest into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(graph, folder / HEAD_NAME)
    manifest = HeadManifest(
        name=facts.name,
        task="intent",
        labels=tuple(facts.labels),
        encoder=facts.encoder,
        dim=facts.dim,
        temperature=facts.temperature,
        files=record_files(folder, (HEAD_NAME,)),
    )
    write_manifest(folder, manifest)
    return manifest
