"""Reads the files of a packaged sentence encoder: its sizes and its weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from router_extproc.errors import ConfigError
from router_extproc.models.onnx.building.graph import Architecture


@dataclass(frozen=True, slots=True)
class Source:
    """The files of a packaged sentence encoder."""

    name: str
    weights: Path
    config: Path
    tokenizer: Path


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
        raise ConfigError("", f"{source.config} is damaged") from error


def read_weights(source: Source) -> dict[str, NDArray[np.float32]]:
    """The encoder's weights by name."""
    try:
        return load_file(source.weights)
    except (OSError, SafetensorError) as error:
        raise ConfigError("", f"{source.weights} is damaged") from error
