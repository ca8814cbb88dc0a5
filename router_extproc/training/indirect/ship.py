"""Makes the shipped head `indirect`: fits it, judges it on documents that it never saw, writes the card.

Each half of the documents is judged by a head that learned from the other half's instructions and documents;
what is shipped then learns from both. About ten minutes on one core, most of them in the encoder.

    python -m router_extproc.training.indirect.ship --data ../shared/data --work build/indirect
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.guard import ALARMS_MAX
from router_extproc.models.base import Screen
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
    set_offset,
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
    threshold, judged = judge_recipe(documents, examples, to_set, encodings)
    learned = learn_from(examples, documents)
    head = replace(fit_head(learned, encodings), threshold=threshold)
    found = [passage for passage, label in learned.items() if label and is_found(head, passage, encodings)]
    screen = set_offset(fit_screen(learned), found)
    write_indirect(chosen.out, head, screen, encoder=IDENTITY)
    clean = worst_logits(head, to_judge, encodings)
    write_card(chosen.out, judged, clean > threshold, skipped_share(screen, to_judge), len(learned))


def judge_recipe(
    documents: Sequence[Document], examples: Mapping[str, int], clean: Sequence[str], encodings: Encodings
) -> tuple[float, Figures]:
    """The threshold, and how good heads of one half are on the other; both halves together."""
    first, second = halve(documents)
    logits, judged, cleans = [], [], []
    for seen, unseen in ((first, second), (second, first)):
        head = fit_head(learn_from(examples, seen), encodings)
        logits.append(worst_logits(head, [document.text for document in unseen], encodings))
        cleans.append(worst_logits(head, clean, encodings))
        judged += unseen
    scores = np.concatenate(logits)
    hidden = np.array([document.place is not None for document in judged])
    benign = np.concatenate([scores[~hidden], *cleans])
    threshold = float(np.quantile(benign, 1 - ALARMS_MAX, method="higher"))
    return threshold, figures_of(hidden, scores, threshold)


def learn_from(examples: Mapping[str, int], documents: Iterable[Document]) -> dict[str, int]:
    """The examples and the passages of documents."""
    passages = {text: label for document in documents for text, label in labelled_passages(document)}
    return {**examples, **passages}


def worst_logits(head: IndirectHead, texts: Sequence[str], encodings: Encodings) -> NDArray[np.float64]:
    """The logit of each text's worst passage, float64[n]."""
    passages = [encodings.readable(passages_of(text)) for text in texts]
    every = list(dict.fromkeys(passage for each in passages for passage in each))
    known = dict(zip(every, head.logits(every, encodings).tolist(), strict=True))
    return np.array([max((known[passage] for passage in each), default=NOTHING) for each in passages])


def is_found(head: IndirectHead, passage: str, encodings: Encodings) -> bool:
    """True for a passage above the threshold."""
    readable = encodings.readable([passage])
    return bool(readable) and bool(head.logits(readable, encodings)[0] > head.threshold)


def skipped_share(screen: Screen, texts: Sequence[str]) -> float:
    """Share of the passages that the screen keeps from the encoder."""
    suspicions = np.array(screen.suspicions([passage for text in texts for passage in passages_of(text)]))
    return float((suspicions < 0).mean())


if __name__ == "__main__":
    main()
