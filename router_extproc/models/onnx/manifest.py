"""The manifest beside every model: what it is, and the checksums of its files.

It is not a model card (that is prose, `card.md`). The rule it keeps: a model whose manifest or
files are damaged, or which is something else than asked for, is refused at start and by name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from router_extproc.errors import ConfigError

MANIFEST_NAME = "manifest.json"

ManifestT = TypeVar("ManifestT", bound="Manifest")


class FileRecord(BaseModel):
    """One file of a model."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sha256: str = Field(pattern="^[0-9a-f]{64}$")
    bytes: int = Field(ge=0)


class Manifest(BaseModel):
    """What every kind of model says of itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: The folder's files by name, this one not among them.
    files: dict[str, FileRecord]


class EncoderManifest(Manifest):
    """An encoder: `model.onnx` and `tokenizer.json`."""

    format: Literal["router-extproc encoder 1"] = "router-extproc encoder 1"
    identity: str
    dim: int = Field(ge=1)
    #: Positions the encoder was trained for.
    max_tokens: int = Field(ge=8)
    source: str
    source_sha256: str
    #: Agreement with the float32 graph on the built-in sentences.
    cosine_mean: float
    cosine_min: float


class PulledManifest(Manifest):
    """An encoder from a hub: `model.onnx` and the files of its tokenizer."""

    format: Literal["router-extproc pulled encoder 1"] = "router-extproc pulled encoder 1"
    repo: str
    revision: str
    #: What the revision was when it was fetched.
    commit: str
    #: The graph's name in the repository.
    graph: str

    @property
    def identity(self) -> str:
        """Names the encoder."""
        return f"{self.repo}@{self.commit[:12]}:{self.graph}"


class HeadManifest(Manifest):
    """A classifier over an encoder's vectors: `head.onnx`."""

    format: Literal["router-extproc head 1"] = "router-extproc head 1"
    name: str
    task: Literal["intent"]
    labels: tuple[str, ...] = Field(min_length=2)
    #: Identity of the encoder whose vectors it reads.
    encoder: str
    dim: int = Field(ge=1)
    #: What the logits were divided by inside the graph; kept for the record.
    temperature: float = Field(gt=0)


def record_file(path: Path) -> FileRecord:
    """Checksum and size of a file."""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return FileRecord(sha256=digest, bytes=path.stat().st_size)


def record_files(folder: Path, names: Iterable[str]) -> dict[str, FileRecord]:
    """Records of the named files of a folder."""
    return {name: record_file(folder / name) for name in names}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest beside the files it describes."""
    (folder / MANIFEST_NAME).write_text(manifest.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_manifest(folder: Path, kind: type[ManifestT], *, where: str) -> ManifestT:
    """The manifest of a folder whose files all match it; `where` is the YAML path for messages.

    Raises:
        ConfigError: missing, unreadable, of another kind, or a file does not match its checksum.
    """
    path = folder / MANIFEST_NAME
    try:
        manifest = kind.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ConfigError(where, f"no model in {folder}: {MANIFEST_NAME} cannot be read") from error
    except ValidationError as error:
        wrong = ", ".join(sorted({str(item["loc"][0]) if item["loc"] else "JSON" for item in error.errors()}))
        raise ConfigError(
            where, f"{path} is not a {kind.__name__} of this version (wrong: {wrong})"
        ) from error
    check_files(folder, manifest.files, where=where)
    return manifest


def check_files(folder: Path, files: Mapping[str, FileRecord], *, where: str) -> None:
    """Raise ConfigError naming the first file that is missing or not the one recorded."""
    for name, expected in files.items():
        try:
            found = record_file(folder / name)
        except OSError as error:
            raise ConfigError(where, f"{folder / name} cannot be read") from error
        if found != expected:
            raise ConfigError(
                where,
                f"{folder / name} is damaged or not ours: sha256 {found.sha256[:12]}…, "
                f"its manifest says {expected.sha256[:12]}…",
            )
