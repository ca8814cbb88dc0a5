"""What the head `indirect` is made of, and how it is written: a net over the vector, a table over words.

It reads the encoder's own vector, without the task layers: a pass costs half, and the layers have seen the
documents that it is judged on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray

from router_extproc.models.lexical_screen import LexicalScreen, words_of
from router_extproc.models.onnx.building.graph import GraphWriter
from router_extproc.models.onnx.heads import HEAD_NAME, SCORES
from router_extproc.models.onnx.manifest import HeadManifest, record_files, write_manifest
from router_extproc.models.onnx.screen import SCREEN_NAME, write_screen
from router_extproc.signals.guard import BENIGN, SCORE_MIN
from router_extproc.training.heads.head_onnx import finish, number, write_meaning, write_words
from router_extproc.training.heads.net import Net, Plan, train_net
from router_extproc.training.heads.phrases import PhraseNet, PhrasePlan, train_phrases
from router_extproc.training.indirect.encodings import Encodings

LABELS: Final = (BENIGN, "injection")
PLAN: Final = Plan(hidden=384, members=1, epochs=14)
#: How much the words count beside the meaning.
WORDS_WEIGHT: Final = 0.5
#: What the logits are divided by: the scale on which a half, and SCORE_MIN, are apart.
TEMPERATURE: Final = 0.5
#: Words of instructions that it has seen are all that a screen can learn well, so it learns little, and is
#: set by clean passages: what it would lose of instructions that it has seen says nothing of others.
SCREEN_PLAN: Final = PhrasePlan(epochs=2, dropout=0.5, smoothing=0.2, by_rarity=False)
#: Share of the passages of clean files that it keeps from the encoder. Of instructions that screens had not
#: seen, 1 in 37 was lost at 0.6 and at 0.7, 2 at 0.8, 5 at 0.9.
SCREENED_SHARE: Final = 0.6


@dataclass(frozen=True, slots=True)
class IndirectHead:
    """Tells passages that give instructions."""

    meaning: Net
    words: PhraseNet
    #: The logit at which the score is SCORE_MIN.
    threshold: float = 0.0

    def logits(self, passages: Sequence[str], encodings: Encodings) -> NDArray[np.float64]:
        """How much each speaks for an instruction, float64[n]; the passages are readable."""
        meaning = self.meaning.logits(encodings.vectors(passages))
        words = self.words.logits(encodings.tokens(passages))
        both = (meaning + np.float32(WORDS_WEIGHT) * words) / np.float32(1 + WORDS_WEIGHT)
        return np.asarray(both[:, 1] - both[:, 0], np.float64)

    @property
    def shift(self) -> float:
        """What is taken from the logits, so that the threshold scores SCORE_MIN."""
        return self.threshold - TEMPERATURE * float(np.log(SCORE_MIN / (1 - SCORE_MIN)))


def fit_head(examples: Mapping[str, int], encodings: Encodings) -> IndirectHead:
    """Learn from passages, with 1 for instructions and 0 for clean ones."""
    passages = encodings.readable(examples)
    labels = np.array([examples[passage] for passage in passages], np.int64)
    net = train_net(encodings.vectors(passages), labels, len(LABELS), PLAN)
    return IndirectHead(net, train_phrases(encodings.tokens(passages), labels, len(LABELS)))


def fit_screen(examples: Mapping[str, int], clean: Sequence[str]) -> LexicalScreen:
    """Learn which words are in instructions; keep back SCREENED_SHARE of the clean passages."""
    passages = [passage for passage in examples if len(words_of(passage))]
    labels = np.array([examples[passage] for passage in passages], np.int64)
    table = train_phrases([words_of(passage) for passage in passages], labels, len(LABELS), SCREEN_PLAN)
    weights = np.asarray(table.table[:, 1] - table.table[:, 0], np.float32)
    screen = LexicalScreen(weights, table.rarity, 0.0)
    return replace(screen, offset=-float(np.quantile(screen.suspicions(clean), SCREENED_SHARE)))


def write_indirect(folder: Path, head: IndirectHead, screen: LexicalScreen, *, encoder: str) -> None:
    """Put `head.onnx`, `screen.npy` and their manifest into the folder; encoder: its identity."""
    folder.mkdir(parents=True, exist_ok=True)
    onnx.save(head_graph(head), folder / HEAD_NAME)
    write_screen(folder, screen)
    manifest = HeadManifest(
        name=folder.name,
        task="intent",
        labels=LABELS,
        encoder=encoder,
        dim=head.meaning.hidden_kernel.shape[0],
        temperature=TEMPERATURE,
        files=record_files(folder, (HEAD_NAME, SCREEN_NAME)),
    )
    write_manifest(folder, manifest)


def head_graph(head: IndirectHead) -> onnx.ModelProto:
    """float32 `vector` [1, dim] and int64 `ids` [tokens] to float32 `scores` [1, 2]."""
    writer = GraphWriter()
    meaning, words = write_meaning(writer, head.meaning), write_words(writer, head.words)
    weighed = writer.node("Mul", [words, number(writer, "words.weight", WORDS_WEIGHT)], "words.weighed")
    total = writer.node("Add", [meaning, weighed], "logits")
    scale = TEMPERATURE * (1 + WORDS_WEIGHT)
    divided = writer.node("Div", [total, number(writer, "temperature", scale)], "tempered")
    shift = np.array([[0.0, -head.shift / TEMPERATURE]], np.float32)
    writer.node(
        "Softmax",
        [writer.node("Add", [divided, writer.constant("shift", shift)], "shifted")],
        SCORES,
        axis=-1,
    )
    return finish(writer, dim=head.meaning.hidden_kernel.shape[0], labels=len(LABELS))
