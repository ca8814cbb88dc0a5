"""The verifier's net: two questions read apart by the lower layers, then together.

Calibration and evidence from words come after it. The lower layers and the embeddings stay as they are,
so that they can be shared with the encoder.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from router_extproc.training.torch_net.bert import DIM, MiniLm

#: Lower layers that read each question by itself and are never trained.
SHARED_LAYERS = 2
#: Width of the hidden layer of the head.
HEAD_WIDTH = 96


@dataclass(frozen=True, slots=True)
class PairBatch:
    """Pairs as the net reads them; both questions of a pair in one row, one behind the other."""

    #: int64[batch, tokens]; 0 where there is no token.
    ids: Tensor
    #: Positions, counted from 0 in each question.
    places: Tensor
    #: 0 for the cached question, 1 for the asked one, -1 where there is no token.
    sides: Tensor


def make_batch(cached: Sequence[Sequence[int]], asked: Sequence[Sequence[int]]) -> PairBatch:
    """Token ids of both questions, special tokens included, as one padded batch."""
    pairs = list(zip(cached, asked, strict=True))
    width = max(len(first) + len(second) for first, second in pairs)
    ids, places = (
        torch.zeros(len(pairs), width, dtype=torch.long),
        torch.zeros(len(pairs), width, dtype=torch.long),
    )
    sides = torch.full((len(pairs), width), -1)
    for row, (first, second) in enumerate(pairs):
        middle, end = len(first), len(first) + len(second)
        ids[row, :end] = torch.tensor([*first, *second])
        places[row, :end] = torch.tensor([*range(middle), *range(len(second))])
        sides[row, :middle], sides[row, middle:end] = 0, 1
    return PairBatch(ids, places, sides)


class PairNet(nn.Module):
    """Two questions to one logit: the same answer fits both."""

    def __init__(self, trunk: MiniLm) -> None:
        super().__init__()
        self.trunk = trunk
        #: Added where the questions meet, so that the upper layers tell them apart.
        self.side = nn.Embedding(2, DIM)
        self.wide = nn.Linear(4 * DIM, HEAD_WIDTH)
        self.narrow = nn.Linear(HEAD_WIDTH, 1)
        self.likeness = nn.Parameter(torch.tensor([8.0, -5.0]))
        nn.init.normal_(self.side.weight, std=0.02)
        nn.init.zeros_(self.narrow.weight)
        freeze_lower(trunk)

    def forward(self, batch: PairBatch) -> Tensor:
        """float32[batch] logits."""
        with torch.no_grad():
            hidden = self._read_apart(batch)
        hidden = hidden + self.side(batch.sides.clamp(min=0))
        together = (batch.sides >= 0)[:, None, None, :]
        for layer in self.trunk.layers[SHARED_LAYERS:]:
            hidden = layer(hidden, together)
        return self._judge(hidden, batch.sides)

    def _read_apart(self, batch: PairBatch) -> Tensor:
        part = self.trunk.embeddings.get_submodule
        kind = part("token_type_embeddings").weight[0]
        hidden = part("word_embeddings")(batch.ids) + part("position_embeddings")(batch.places) + kind
        hidden = part("LayerNorm")(hidden)
        apart = batch.sides[:, None, :, None] == batch.sides[:, None, None, :]
        for layer in self.trunk.layers[:SHARED_LAYERS]:
            hidden = layer(hidden, apart)
        return hidden

    def _judge(self, hidden: Tensor, sides: Tensor) -> Tensor:
        cached, asked = (mean_of(hidden, sides == side) for side in (0, 1))
        evidence = torch.cat([cached, asked, cached * asked, (cached - asked).abs()], dim=-1)
        logit = self.narrow(functional.gelu(self.wide(evidence)))[:, 0]
        return logit + self.likeness[0] * functional.cosine_similarity(cached, asked) + self.likeness[1]


def mean_of(hidden: Tensor, chosen: Tensor) -> Tensor:
    """Mean vector of the chosen tokens; chosen: bool[batch, tokens], at least one in each row."""
    weight = chosen[..., None].to(hidden.dtype)
    total: Tensor = (hidden * weight).sum(1) / weight.sum(1)
    return total


def freeze_lower(trunk: MiniLm) -> None:
    """Take embeddings and lower layers out of training."""
    for module in (trunk.embeddings, *trunk.layers[:SHARED_LAYERS]):
        module.requires_grad_(requires_grad=False)
