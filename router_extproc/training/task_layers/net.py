"""The net of the task layers: the upper layers of MiniLM, fine-tuned, and one small head for each task.

The encoder keeps its own upper layers, for the cache. The input of this net is the output of the shared
lower layers, so that both halves can run in one pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from router_extproc.training.task_layers.rows import DOMAINS, GUARD_LABELS, SOLVERS, SPAN_KINDS, TaskRow
from router_extproc.training.task_layers.states import SHARED_LAYERS, States
from router_extproc.training.task_layers.tags import IGNORED, tag_tokens
from router_extproc.training.torch_net.bert import DIM, LAYERS, MiniLm

#: Outside, and begin and inside of every kind.
TAGS = 1 + 2 * len(SPAN_KINDS)
DROPOUT = 0.1


@dataclass(frozen=True, slots=True)
class TaskBatch:
    """Rows of one kind, padded to the longest."""

    #: float32[batch, tokens, DIM].
    hidden: Tensor
    #: bool[batch, tokens], True = token.
    mask: Tensor
    rows: Sequence[TaskRow]
    #: int64[batch, tokens], IGNORED where nothing is known.
    tags: Tensor


class TaskLayersNet(nn.Module):
    """Token states of the lower layers to the logits of every task."""

    def __init__(self, trunk: MiniLm) -> None:
        """`trunk`: a whole MiniLM; its upper layers are taken over."""
        super().__init__()
        self.trunk = nn.ModuleDict({str(n): trunk.layers[n] for n in range(SHARED_LAYERS, LAYERS)})
        self.domain = nn.Linear(DIM, len(DOMAINS))
        self.guard = nn.Linear(DIM, len(GUARD_LABELS))
        self.failed = nn.Linear(DIM, len(SOLVERS))
        self.routed = nn.Linear(DIM, 2)
        self.tags = nn.Linear(DIM, TAGS)
        self.dropout = nn.Dropout(DROPOUT)

    def read(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Token vectors [batch, tokens, DIM]."""
        for layer in self.trunk.values():
            hidden = layer(hidden, mask[:, None, None, :])
        return hidden

    def forward(self, batch: TaskBatch) -> tuple[Tensor, Tensor]:
        """(token vectors, their mean [batch, DIM]), both after dropout while training."""
        hidden = self.read(batch.hidden, batch.mask)
        weight = batch.mask[..., None].to(hidden.dtype)
        mean = (hidden * weight).sum(1) / weight.sum(1)
        return self.dropout(hidden), self.dropout(mean)


def make_batch(rows: Sequence[TaskRow], states: States) -> TaskBatch:
    """Pad the states of the rows."""
    places = [states.of(row.text) for row in rows]
    width = max(place.stop - place.start for place in places)
    hidden = torch.zeros(len(rows), width, DIM)
    mask = torch.zeros(len(rows), width, dtype=torch.bool)
    tags = torch.full((len(rows), width), IGNORED)
    for index, (row, place) in enumerate(zip(rows, places, strict=True)):
        length = place.stop - place.start
        hidden[index, :length] = torch.from_numpy(states.hidden[place]).float()
        mask[index, :length] = True
        if row.spans is not None:
            tags[index, :length] = torch.from_numpy(tag_tokens(states.offsets[place], row.spans))
    return TaskBatch(hidden, mask, rows, tags)
