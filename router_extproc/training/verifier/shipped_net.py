"""Loads the shipped verifier back into torch, to train it further.

The artifact holds int8 weights; as float32 they give the same net but for rounding, from which a few steps of
training recover.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper

from router_extproc.training.torch_net.bert import DIM, LAYERS
from router_extproc.training.verifier.net import SHARED_LAYERS, PairNet

Arrays = Mapping[str, NDArray[np.float32]]

#: Of one layer, names of weights by those of the graph; kernels are stored transposed.
_KERNELS = {
    "attention.output.dense": "attention.output.kernel",
    "intermediate.dense": "wide.kernel",
    "output.dense": "output.kernel",
}
_BIASES = {
    "attention.output.dense": "attention.output.bias",
    "intermediate.dense": "wide.bias",
    "output.dense": "output.bias",
}
_NORMS = {"attention.output.LayerNorm": "attention.output", "output.LayerNorm": "output"}
_ATTENTION = ("query", "key", "value")


def load_shipped(net: PairNet, upper: Path) -> None:
    """Fill the upper layers and the head from a shipped graph; the lower ones stay."""
    arrays = read_arrays(onnx.load(upper))
    state = dict(net.state_dict())
    for index in range(SHARED_LAYERS, LAYERS):
        state |= as_tensors(layer_weights(arrays, index), f"trunk.encoder.layer.{index}.")
    state |= as_tensors(head_weights(arrays), "")
    net.load_state_dict(state)


def read_arrays(model: onnx.ModelProto) -> Arrays:
    """Every initializer as float32, quantised ones by the names that they had before."""
    raw = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    found = {name: values for name, values in raw.items() if values.dtype == np.float32}
    for name, values in raw.items():
        plain = name.removesuffix("_quantized")
        if plain != name:
            centred = values.astype(np.float32) - raw[f"{plain}_zero_point"].astype(np.float32)
            found[plain] = centred * raw[f"{plain}_scale"]
    return found


def layer_weights(arrays: Arrays, index: int) -> dict[str, NDArray[np.float32]]:
    """The weights of one layer under their BERT names."""
    prefix = f"layer{index}."
    found = {f"{ours}.weight": arrays[prefix + theirs].T for ours, theirs in _KERNELS.items()}
    found |= {f"{ours}.bias": arrays[prefix + theirs] for ours, theirs in _BIASES.items()}
    for ours, theirs in _NORMS.items():
        found |= {f"{ours}.weight": arrays[f"{prefix}{theirs}.scale"]}
        found |= {f"{ours}.bias": arrays[f"{prefix}{theirs}.shift"]}
    kernel, bias = arrays[f"{prefix}attention.kernel"].T, arrays[f"{prefix}attention.bias"]
    for place, part in enumerate(_ATTENTION):
        rows = slice(place * DIM, (place + 1) * DIM)
        found |= {f"attention.self.{part}.weight": kernel[rows], f"attention.self.{part}.bias": bias[rows]}
    return found


def head_weights(arrays: Arrays) -> dict[str, NDArray[np.float32]]:
    """Sides, the small net and the weight of the cosine; the graph has the two offsets as one."""
    offset = float(arrays["offset"].item())
    return {
        "side.weight": np.stack([arrays["side.cached"], arrays["side.asked"]]),
        "wide.weight": arrays["wide.kernel"].T,
        "wide.bias": arrays["wide.bias"],
        "narrow.weight": arrays["narrow.kernel"].T,
        "narrow.bias": np.zeros(1, np.float32),
        "likeness": np.array([arrays["factor"].item(), offset], np.float32),
    }


def as_tensors(weights: Arrays, prefix: str) -> dict[str, torch.Tensor]:
    """Weights for a state dictionary."""
    return {prefix + name: torch.from_numpy(np.array(values, np.float32)) for name, values in weights.items()}
