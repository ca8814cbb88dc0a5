"""The tasks' net: the trunk with fine-tuned upper layers and one small head for each task.

It is not the encoder: vectors for the cache come from the original layers. The rule it keeps:
the lower layers stay as they are, so that one run computes them once for everything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from router_extproc.training.bert import DIM, MiniLm
from router_extproc.training.pair_net import SHARED_LAYERS, freeze_lower, mean_of


@dataclass(frozen=True, slots=True)
class TextBatch:
    """Texts as the net reads them."""

    #: int64[batch, tokens]; 0 where there is no token.
    ids: Tensor
    #: bool[batch, tokens], True = token.
    mask: Tensor


def make_text_batch(texts: Sequence[Sequence[int]]) -> TextBatch:
    """Token ids, special tokens included, as one padded batch."""
    width = max(len(ids) for ids in texts)
    ids = torch.zeros(len(texts), width, dtype=torch.long)
    mask = torch.zeros(len(texts), width, dtype=torch.bool)
    for row, tokens in enumerate(texts):
        ids[row, : len(tokens)] = torch.tensor(tokens)
        mask[row, : len(tokens)] = True
    return TextBatch(ids, mask)


class TaskNet(nn.Module):
    """Texts to the logits of every task."""

    def __init__(self, trunk: MiniLm, heads: dict[str, int], token_heads: dict[str, int]) -> None:
        """Heads by task: the number of their outputs, of the whole text or of each token."""
        super().__init__()
        self.trunk = trunk
        self.heads = nn.ModuleDict({task: nn.Linear(DIM, width) for task, width in heads.items()})
        self.token_heads = nn.ModuleDict({task: nn.Linear(DIM, width) for task, width in token_heads.items()})
        freeze_lower(trunk)

    def forward(self, batch: TextBatch) -> tuple[Tensor, Tensor]:
        """Mean vectors [batch, DIM] and token vectors [batch, tokens, DIM], for `logits`."""
        seen = batch.mask[:, None, None, :]
        with torch.no_grad():
            hidden = self.trunk.embed(batch.ids, torch.zeros_like(batch.ids))
            for layer in self.trunk.layers[:SHARED_LAYERS]:
                hidden = layer(hidden, seen)
        for layer in self.trunk.layers[SHARED_LAYERS:]:
            hidden = layer(hidden, seen)
        return mean_of(hidden, batch.mask), hidden
