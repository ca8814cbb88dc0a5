"""Trains the task layers: batches of one kind at a time, all kinds mixed.

The same data, seed and machine give the same net, also when training was interrupted; rows to judge on
are never seen.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from router_extproc.models.onnx.building.source import read_weights
from router_extproc.models.onnx.building.weights import opened_weights
from router_extproc.training.task_layers.net import TaskBatch, TaskLayersNet, make_batch
from router_extproc.training.task_layers.rows import TaskRow
from router_extproc.training.task_layers.split import SEED, Split
from router_extproc.training.task_layers.states import States
from router_extproc.training.task_layers.tags import IGNORED
from router_extproc.training.torch_net.batches import make_batches
from router_extproc.training.torch_net.bert import MiniLm, load_weights
from router_extproc.training.torch_net.fit import Plan, fit

BATCH_ROWS = 32
#: Times that the rows of each kind are seen.
EPOCHS = {"domain": 2.75, "routed": 0.75, "guard": 2.0, "spans": 2.5}
RATE = 3e-4
SMOOTHING = 0.05

Batches = list[Sequence[TaskRow]]


def train_task_layers(
    split: Split, states: States, work: Path, pause_file: Path | None = None
) -> TaskLayersNet:
    """The trained net; `work` keeps the checkpoint from which an interrupted run goes on."""
    torch.manual_seed(SEED)
    trunk = MiniLm()
    with opened_weights() as open_source:
        load_weights(trunk, read_weights(open_source()))
    net = TaskLayersNet(trunk)
    batches = draw_batches(split.seen, states)
    plan = Plan(steps=len(batches), rate=RATE, checkpoint=work / "trunk.pt", pause_file=pause_file)
    fit(net, partial(loss_at, net, batches, states), plan)
    return net


def draw_batches(rows: Sequence[TaskRow], states: States) -> Batches:
    """Batches of every kind, as often as EPOCHS says, mixed evenly."""
    mixed: list[tuple[float, Sequence[TaskRow]]] = []
    generator = random.Random(SEED)
    for kind, epochs in EPOCHS.items():
        of_kind = [row for row in rows if row.kind == kind]
        drawn = repeat_batches(of_kind, states, epochs)
        mixed += [((index + generator.random()) / len(drawn), batch) for index, batch in enumerate(drawn)]
    return [batch for _, batch in sorted(mixed, key=lambda each: each[0])]


def repeat_batches(rows: Sequence[TaskRow], states: States, epochs: float) -> Batches:
    """Batches of like length: whole epochs, then a part of one."""

    def tokens_of(row: TaskRow) -> int:
        return states.length(row.text)

    drawn: Batches = []
    for epoch in range(int(np.ceil(epochs))):
        made = make_batches(rows, BATCH_ROWS, tokens_of, seed=SEED + epoch)
        drawn += made[: round(len(made) * min(1.0, epochs - epoch))]
    return drawn


def loss_at(net: TaskLayersNet, batches: Batches, states: States, step: int) -> Tensor:
    """The loss of one batch: the sum over the tasks that its rows have targets for."""
    batch = make_batch(batches[step], states)
    hidden, mean = net(batch)
    losses = {
        "domain": lambda: domain_loss(net, mean, batch),
        "routed": lambda: routed_loss(net, mean, batch),
        "guard": lambda: functional.cross_entropy(
            net.guard(mean), torch.tensor([row.guard for row in batch.rows]), label_smoothing=SMOOTHING
        ),
        "spans": lambda: functional.cross_entropy(
            net.tags(hidden).flatten(0, 1), batch.tags.flatten(), ignore_index=IGNORED
        ),
    }
    return losses[batch.rows[0].kind]()


def domain_loss(net: TaskLayersNet, mean: Tensor, batch: TaskBatch) -> Tensor:
    """Category, and which models failed, where that is known."""
    labels = torch.tensor([row.domain for row in batch.rows])
    loss = functional.cross_entropy(net.domain(mean), labels, label_smoothing=SMOOTHING)
    known = [(index, row.failed) for index, row in enumerate(batch.rows) if row.failed is not None]
    if not known:
        return loss
    failed = torch.from_numpy(np.stack([targets for _, targets in known]))
    return loss + masked_loss(net.failed(mean[[index for index, _ in known]]), failed)


def routed_loss(net: TaskLayersNet, mean: Tensor, batch: TaskBatch) -> Tensor:
    """Whether the weak and the strong model failed."""
    failed = torch.tensor([row.routed for row in batch.rows], dtype=torch.float32)
    return functional.binary_cross_entropy_with_logits(net.routed(mean), failed)


def masked_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean binary cross-entropy over targets that are not NaN."""
    known = ~targets.isnan()
    return functional.binary_cross_entropy_with_logits(logits[known], targets[known])
