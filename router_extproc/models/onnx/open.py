"""Opens encoders at start: the one that was built here, or one from a folder of the user's.

A model that is missing, damaged or unsuitable raises a ConfigError with the configuration path and the
command that helps, so that no request is the first to find out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import onnxruntime as ort
from tokenizers import Tokenizer

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.encoder import (
    ELEMENTS,
    INPUTS,
    OnnxEncoder,
    Pooling,
    WholeGraph,
)
from router_extproc.models.onnx.home import (
    IDENTITY,
    MODEL_NAME,
    TOKENIZER_NAME,
    built_name,
    home,
    models_folder,
    not_built,
    pulled_name,
)
from router_extproc.models.onnx.manifest import (
    MANIFEST_NAME,
    EncoderManifest,
    PulledManifest,
    read_manifest,
    record_file,
)
from router_extproc.models.onnx.session import ONE_THREAD, Engine, open_session
from router_extproc.models.onnx.task_layers import open_task_graph
from router_extproc.models.onnx.window import WindowTokenizer

PULL_COMMAND = "router-extproc models pull"
#: What `transformers` makes a tokenizer from.
TOKENIZER_CONFIG_NAME = "tokenizer_config.json"
TOKENIZERS = (TOKENIZER_NAME, TOKENIZER_CONFIG_NAME)
#: In the manifest of what came from a hub.
PULLED = b"router-extproc pulled encoder"
#: Window of the encoder, unless configured otherwise.
MAX_TOKENS = 256


def open_encoder(
    folder: Path | None = None,
    *,
    pooling: Pooling = "mean",
    max_tokens: int = MAX_TOKENS,
    prefix: str = "",
    engine: Engine = ONE_THREAD,
    tasks: bool = True,
    others_wait: Callable[[], bool] = lambda: False,
    where: str = "encoder",
) -> OnnxEncoder:
    """The encoder of a folder; None: the one that `models build` made. `where` is its YAML path.

    tasks: with its task layers; only the built-in encoder has some, and only without a prefix.
    others_wait: whether further passes are due; see task_layers.SplitGraph.

    Raises:
        ConfigError: missing, damaged, or nothing this package can run.
    """
    place = find_folder(folder, where=where)
    identity = identify(place, max_tokens=max_tokens, where=where) + tell_reading(pooling, prefix)
    tokenizer = WindowTokenizer(open_tokenizer(place, where=where), max_tokens=max_tokens, prefix=prefix)
    if folder is None and tasks and not prefix:
        split = open_task_graph(engine=engine, others_wait=others_wait, where=where)
        return OnnxEncoder(split, tokenizer, identity=identity, pooling=pooling, task_graph=split)
    session = open_session(place / MODEL_NAME, engine=engine, where=where)
    check_shape(session, place, where=where)
    return OnnxEncoder(WholeGraph(session), tokenizer, identity=identity, pooling=pooling)


def find_folder(folder: Path | None, *, where: str) -> Path:
    """The folder to open; it exists."""
    if folder is None:
        built = models_folder(home()) / built_name(IDENTITY)
        if not built.is_dir():
            raise not_built("the encoder has", built, where=where)
        return built
    if not (folder / MODEL_NAME).is_file() or not any((folder / name).is_file() for name in TOKENIZERS):
        raise ConfigError(
            f"{where}.path",
            f"{folder} needs both {MODEL_NAME} and {TOKENIZER_NAME} (or a {TOKENIZER_CONFIG_NAME})",
        )
    return folder


def find_pulled(repo: str, revision: str, *, where: str) -> Path:
    """The folder of an encoder that `models pull` fetched."""
    folder = models_folder(home()) / pulled_name(repo, revision)
    if not folder.is_dir():
        extra = "" if revision == "main" else f" --revision {revision}"
        raise ConfigError(
            f"{where}.repo",
            f"{repo} has not been fetched ({folder} is missing): run `{PULL_COMMAND} {repo}{extra}`",
        )
    return folder


def identify(folder: Path, *, max_tokens: int, where: str) -> str:
    """The identity: from the manifest, checked; for a folder without one, from the graph's checksum."""
    if is_pulled(folder):
        return read_manifest(folder, PulledManifest, where=where).identity
    if not (folder / MANIFEST_NAME).is_file() and folder.name != built_name(IDENTITY):
        return f"{folder.name}-{record_file(folder / MODEL_NAME).sha256[:12]}"
    manifest = read_manifest(folder, EncoderManifest, where=where)
    if max_tokens > manifest.max_tokens:
        raise ConfigError(
            f"{where}.max_tokens",
            f"this encoder reads at most {manifest.max_tokens} tokens, got {max_tokens}",
        )
    return manifest.identity


def check_shape(session: ort.InferenceSession, folder: Path, *, where: str) -> None:
    """Raise ConfigError unless the graph takes token ids and ends in vectors of a fixed length."""
    path = folder / MODEL_NAME
    for entry in session.get_inputs():
        if entry.name not in INPUTS or entry.type not in ELEMENTS:
            raise ConfigError(where, f"{path} has an unknown input: {entry.name} {entry.type}")
    shape = session.get_outputs()[0].shape
    if len(shape) not in {2, 3} or not isinstance(shape[-1], int):
        raise ConfigError(where, f"{path} returns {shape}, expected [batch, dim] or [batch, tokens, dim]")


def is_pulled(folder: Path) -> bool:
    """True when the folder's manifest says that it came from a hub."""
    path = folder / MANIFEST_NAME
    return path.is_file() and PULLED in path.read_bytes()


def tell_reading(pooling: Pooling, prefix: str) -> str:
    """What of the reading changes the vectors, as a part of the identity; nothing for the usual one."""
    if (pooling, prefix) == ("mean", ""):
        return ""
    return f"+{pooling}-{hashlib.sha256(prefix.encode()).hexdigest()[:8]}"


def open_tokenizer(folder: Path, *, where: str) -> Tokenizer:
    """The tokenizer of a folder: tokenizer.json, or what `transformers` makes of its parts."""
    path = folder / TOKENIZER_NAME
    if not path.is_file():
        return convert_tokenizer(folder, where=where)
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # tokenizers raises plain Exception
        raise ConfigError(where, f"{path} is not a tokenizer ({type(error).__name__})") from error


def convert_tokenizer(folder: Path, *, where: str) -> Tokenizer:
    """The tokenizer that `transformers` makes; it is imported here, because it takes seconds."""
    from transformers import AutoTokenizer  # noqa: PLC0415

    try:
        made = AutoTokenizer.from_pretrained(str(folder), local_files_only=True, trust_remote_code=False)
    except Exception as error:  # transformers raises whatever its parts raise
        raise ConfigError(where, f"{folder} has no readable tokenizer ({type(error).__name__})") from error
    fast = getattr(made, "backend_tokenizer", None)
    if not isinstance(fast, Tokenizer):
        raise ConfigError(where, f"the tokenizer of {folder} ({type(made).__name__}) has no fast form")
    return fast
