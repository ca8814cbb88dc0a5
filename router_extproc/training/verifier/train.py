"""Trains and exports the cache's verifier.

The same data, seed and machine give the same net, also when training was interrupted.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import onnx
import torch
from tokenizers import Tokenizer
from torch import Tensor
from torch.nn import functional

from router_extproc.models.onnx.building.encoder import plain_tokenizer, quantise
from router_extproc.models.onnx.building.pair_graph import join_graphs, write_lower, write_upper
from router_extproc.models.onnx.building.source import Source, read_architecture, read_weights
from router_extproc.training.torch_net.batches import make_batches
from router_extproc.training.torch_net.bert import MiniLm, dump_weights, load_weights
from router_extproc.training.torch_net.fit import Plan, fit
from router_extproc.training.verifier.net import SHARED_LAYERS, PairNet, make_batch
from router_extproc.training.verifier.pairs import Pair
from router_extproc.training.verifier.rows import PairRows

#: Tokens of one question; longer ones are cut, and pairs over PAIR_TOKENS_MAX are left out.
QUESTION_TOKENS_MAX = 48
PAIR_TOKENS_MAX = 80
BATCH_ROWS = 64
#: Batches of labelled pairs alone before made ones are mixed in, half and half.
LABELLED_BATCHES = 50
#: Steps of the first round, and of the second one, over pairs that the first has not seen.
FIRST_STEPS, SECOND_STEPS = 600, 480
RATE = 2e-4
#: Share of the target given to the other label: Quora's labels are noisy.
SMOOTHING = 0.02
SEED = 7


@dataclass(frozen=True, slots=True)
class Encoded:
    """A pair as token ids."""

    cached: Sequence[int]
    asked: Sequence[int]
    label: int


Batches: TypeAlias = list[list[Encoded]]


def tokens_of(pair: Encoded) -> int:
    """Tokens of both questions."""
    return len(pair.cached) + len(pair.asked)


def train_verifier(rows: PairRows, source: Source, work: Path, pause_file: Path | None = None) -> PairNet:
    """The trained net; `work` keeps the checkpoints from which an interrupted run goes on."""
    torch.manual_seed(SEED)
    trunk = MiniLm()
    load_weights(trunk, read_weights(source))
    net = PairNet(trunk)
    work.mkdir(parents=True, exist_ok=True)
    for number, batches in enumerate(rounds_of(rows, plain_tokenizer(source.tokenizer))):
        plan = Plan(
            steps=len(batches), rate=RATE, checkpoint=work / f"round{number}.pt", pause_file=pause_file
        )
        fit(net, partial(loss_at, net, batches), plan)
    return net


def rounds_of(rows: PairRows, tokenizer: Tokenizer) -> tuple[Batches, Batches]:
    """Two rounds: labelled pairs, then half made; after that fresh pairs, a third of them made."""
    tokenizer.enable_truncation(QUESTION_TOKENS_MAX)
    labelled, made = (encode_pairs(pairs, tokenizer) for pairs in (rows.labelled, rows.made))
    first = make_batches(labelled, BATCH_ROWS, tokens_of, seed=SEED)[:LABELLED_BATCHES]
    mixed = [*labelled[: len(made)], *made]
    first += make_batches(mixed, BATCH_ROWS, tokens_of, seed=SEED + 1)[: FIRST_STEPS - len(first)]
    used = {id(row) for batch in first for row in batch}
    fresh, fresh_made = ([row for row in part if id(row) not in used] for part in (labelled, made))
    rest = [*fresh, *fresh_made[: len(fresh) // 2]]
    return first, make_batches(rest, BATCH_ROWS, tokens_of, seed=SEED + 2)[:SECOND_STEPS]


def encode_pairs(pairs: Sequence[Pair], tokenizer: Tokenizer) -> list[Encoded]:
    """The pairs that are short enough."""
    encoded = (
        Encoded(tokenizer.encode(pair.cached).ids, tokenizer.encode(pair.asked).ids, pair.label)
        for pair in pairs
    )
    return [pair for pair in encoded if tokens_of(pair) <= PAIR_TOKENS_MAX]


def loss_at(net: PairNet, batches: Batches, step: int) -> Tensor:
    """Cross-entropy; the order of the two questions is drawn anew for each pair."""
    rng, batch = random.Random(step), batches[step]
    pairs = [(row.cached, row.asked) if rng.random() < 0.5 else (row.asked, row.cached) for row in batch]  # noqa: PLR2004
    logits = net(make_batch([first for first, _ in pairs], [second for _, second in pairs]))
    labels = torch.tensor([row.label * (1 - 2 * SMOOTHING) + SMOOTHING for row in batch])
    return functional.binary_cross_entropy_with_logits(logits, labels)


@dataclass(frozen=True, slots=True)
class Exported:
    """Graphs in one folder."""

    #: int8, to be shipped.
    upper: Path
    #: int8, both questions to the logit.
    whole: Path
    #: The same in float32, to compare with.
    whole_float: Path


def export_verifier(net: PairNet, source: Source, folder: Path) -> Exported:
    """Write the trained upper layers, and whole graphs to judge them by."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = read_architecture(source)
    lower, upper = folder / "lower.float.onnx", folder / "upper.float.onnx"
    onnx.save(write_lower(read_weights(source), shape, SHARED_LAYERS), lower)
    onnx.save(write_upper(dump_weights(net), shape, SHARED_LAYERS), upper)
    for path in (lower, upper):
        quantise(path, int8_name(path))
    made = Exported(int8_name(upper), folder / "whole.onnx", folder / "whole.float.onnx")
    onnx.save(join_graphs(onnx.load(int8_name(lower)), onnx.load(made.upper)), made.whole)
    onnx.save(join_graphs(onnx.load(lower), onnx.load(upper)), made.whole_float)
    return made


def int8_name(path: Path) -> Path:
    """The name of the quantised graph."""
    return path.with_name(path.name.replace(".float", ""))
