"""A MiniLM (BERT) encoder in torch, to fine-tune; its weights keep the names `models.onnx.graph` reads.

The same arithmetic as the graph, so that weights move between both by name.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

DIM = 384
HEADS = 12
WIDE = 1536
EPSILON = 1e-12
WORDS = 30522
POSITIONS = 512
LAYERS = 6
DROPOUT = 0.1


def block(**parts: nn.Module) -> nn.Sequential:
    """A named group of modules: it gives weights their BERT names and is never called itself."""
    return nn.Sequential(OrderedDict(parts))


class Layer(nn.Module):
    """One transformer layer."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = block(
            self=block(query=nn.Linear(DIM, DIM), key=nn.Linear(DIM, DIM), value=nn.Linear(DIM, DIM)),
            output=block(dense=nn.Linear(DIM, DIM), LayerNorm=nn.LayerNorm(DIM, EPSILON)),
        )
        self.intermediate = block(dense=nn.Linear(DIM, WIDE))
        self.output = block(dense=nn.Linear(WIDE, DIM), LayerNorm=nn.LayerNorm(DIM, EPSILON))

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """hidden: [batch, tokens, DIM]; mask: bool[batch, 1, 1, tokens], True = token."""
        own, after = self.attention.get_submodule("self"), self.attention.get_submodule("output")
        shape = (*hidden.shape[:2], HEADS, DIM // HEADS)
        query, key, value = (
            own.get_submodule(part)(hidden).view(shape).transpose(1, 2) for part in ("query", "key", "value")
        )
        mixed = functional.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        mixed = mixed.transpose(1, 2).reshape(hidden.shape)
        hidden = self._add(after, mixed, hidden)
        return self._add(
            self.output, functional.gelu(self.intermediate.get_submodule("dense")(hidden)), hidden
        )

    def _add(self, part: nn.Module, narrow: Tensor, residual: Tensor) -> Tensor:
        projected: Tensor = part.get_submodule("dense")(narrow)
        projected = functional.dropout(projected, DROPOUT, training=self.training)
        result: Tensor = part.get_submodule("LayerNorm")(projected + residual)
        return result


class MiniLm(nn.Module):
    """Token ids to token vectors."""

    def __init__(self, layers: int = LAYERS) -> None:
        super().__init__()
        self.embeddings = block(
            word_embeddings=nn.Embedding(WORDS, DIM),
            position_embeddings=nn.Embedding(POSITIONS, DIM),
            token_type_embeddings=nn.Embedding(2, DIM),
            LayerNorm=nn.LayerNorm(DIM, EPSILON),
        )
        self.encoder = block(layer=nn.ModuleList(Layer() for _ in range(layers)))

    @property
    def layers(self) -> list[Layer]:
        """From the bottom."""
        stack = self.encoder.get_submodule("layer")
        return [layer for layer in stack.children() if isinstance(layer, Layer)]

    def embed(self, ids: Tensor, kinds: Tensor) -> Tensor:
        """The input of the first layer."""
        places = torch.arange(ids.shape[1], device=ids.device)
        part = self.embeddings.get_submodule
        total = (
            part("word_embeddings")(ids)
            + part("position_embeddings")(places)
            + part("token_type_embeddings")(kinds)
        )
        result: Tensor = part("LayerNorm")(total)
        return result

    def forward(self, ids: Tensor, kinds: Tensor, mask: Tensor) -> Tensor:
        """Token vectors [batch, tokens, DIM]; mask: bool[batch, tokens]."""
        hidden = self.embed(ids, kinds)
        for layer in self.layers:
            hidden = layer(hidden, mask[:, None, None, :])
        return hidden


def load_weights(model: MiniLm, weights: Mapping[str, NDArray[np.float32]]) -> None:
    """Fill a model from arrays under their BERT names; layers that it lacks are left out."""
    wanted = model.state_dict()
    model.load_state_dict({name: torch.from_numpy(weights[name].copy()) for name in wanted})


def dump_weights(model: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The weights as float32 arrays by name."""
    return {name: tensor.detach().float().cpu().numpy() for name, tensor in model.state_dict().items()}
