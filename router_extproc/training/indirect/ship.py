"""Makes the shipped head `indirect`: fits it, judges it on documents that it never saw, writes the card.

Each half of the documents is judged by a head that learned from the other half's instructions and documents;
what is shipped then learns from both. About ten minutes on one core, most of them in the encoder.

    python -m router_extproc.training.indirect.ship --data ../shared/data --work build/indirect
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.guard import ALARMS_MAX
from router_extproc.models.lexical_screen import LexicalScreen
from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.models.onnx.home import IDENTITY
from router_extproc.signals.parts.passages import passages_of
from router_extproc.training.indirect.card import Figures, figures_of, write_card
from router_extproc.training.indirect.clean_files import read_clean_files
from router_extproc.training.indirect.documents import Document, halve, labelled_passages, read_documents
from router_extproc.training.indirect.encodings import Encodings, encode_passages
from router_extproc.training.indirect.examples import read_examples
from router_extproc.training.indirect.head import (
    IndirectHead,
    fit_head,
    fit_screen,
    write_indirect,
)

NAME: Final = "indirect"
#: The score of a text without a passage that the encoder can read.
NOTHING: Final = -99.0


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit, judge, and write the artifact."""
    parser = argparse.ArgumentParser(description="Fit and ship the head for tool results.")
    parser.add_argument("--data", type=Path, required=True, help="the folder of rows")
    parser.add_argument("--work", type=Path, required=True, help="encodings; reused when there")
    parser.add_argument("--out", type=Path, default=ARTIFACTS / NAME, help="the head's folder")
    chosen = parser.parse_args(arguments)
    documents, examples = read_documents(chosen.data), read_examples(chosen.data)
    to_set, to_judge = read_clean_files()
    texts = [*(document.text for document in documents), *to_set, *to_judge]
    passages = [*examples, *(passage for text in texts for passage in passages_of(text))]
    encodings = encode_passages(passages, chosen.work)
    judged = judge_recipe(documents, examples, to_set, encodings)
    learned = learn_from(examples, documents)
    made = make(learned, to_set, encodings)
    threshold = made.threshold(to_set, encodings)
    head = replace(made.head, threshold=threshold)
    write_indirect(chosen.out, head, made.screen, encoder=IDENTITY)
    clean = made.worst_logits(to_judge, encodings)
    write_card(chosen.out, judged, clean > threshold, made.skipped_share(to_judge), len(learned))


@dataclass(frozen=True, slots=True)
class Made:
    """A head, and the screen before it."""

    head: IndirectHead
    screen: LexicalScreen

    def worst_logits(self, texts: Sequence[str], encodings: Encodings) -> NDArray[np.float64]:
        """The logit of each text's worst passage that the screen suspects, float64[n]."""
        passages = [self._suspicious(encodings.readable(passages_of(text))) for text in texts]
        every = list(dict.fromkeys(passage for each in passages for passage in each))
        known = dict(zip(every, self.head.logits(every, encodings).tolist(), strict=True))
        return np.array([max((known[passage] for passage in each), default=NOTHING) for each in passages])

    def threshold(self, clean: Sequence[str], encodings: Encodings) -> float:
        """The logit that ALARMS_MAX of clean texts are above."""
        return float(np.quantile(self.worst_logits(clean, encodings), 1 - ALARMS_MAX, method="higher"))

    def skipped_share(self, texts: Sequence[str]) -> float:
        """Share of the passages that the screen keeps from the encoder."""
        passages = [passage for text in texts for passage in passages_of(text)]
        return float((np.array(self.screen.suspicions(passages)) < 0).mean())

    def _suspicious(self, passages: Sequence[str]) -> list[str]:
        suspicions = self.screen.suspicions(passages)
        return [passage for passage, each in zip(passages, suspicions, strict=True) if each >= 0]


def make(learned: Mapping[str, int], clean: Sequence[str], encodings: Encodings) -> Made:
    """A head that learned from these passages, and the screen before it, set by clean texts."""
    screened = [passage for text in clean for passage in passages_of(text)]
    return Made(fit_head(learned, encodings), fit_screen(learned, screened))


def judge_recipe(
    documents: Sequence[Document], examples: Mapping[str, int], clean: Sequence[str], encodings: Encodings
) -> Figures:
    """How good heads of one half are on the other, each from its own threshold; both halves together."""
    first, second = halve(documents)
    logits, judged = [], []
    for seen, unseen in ((first, second), (second, first)):
        made = make(learn_from(examples, seen), clean, encodings)
        threshold = made.threshold(clean, encodings)
        logits.append(made.worst_logits([document.text for document in unseen], encodings) - threshold)
        judged += unseen
    return figures_of(np.array([document.place is not None for document in judged]), np.concatenate(logits))


def learn_from(examples: Mapping[str, int], documents: Iterable[Document]) -> dict[str, int]:
    """The examples and the passages of documents."""
    passages = {text: label for document in documents for text, label in labelled_passages(document)}
    return {**examples, **passages}


if __name__ == "__main__":
    main()
