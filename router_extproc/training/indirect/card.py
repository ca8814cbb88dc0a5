"""Writes the card of the head `indirect`, with the interval of every figure."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.guard import ALARMS_MAX
from router_extproc.evaluation.metrics import Estimate, auc, share
from router_extproc.signals.guard import SCORE_MIN
from router_extproc.training.heads.card import bullets

SOURCES = (
    "BIPIA, mails and tables with and without hidden instructions (MIT)",
    (
        "3,000 instructions and 3,600 clean lines of mails, manuals, code, logs, JSON, web pages, tables and "
        "chats, made of templates that were written for this project"
    ),
    "500 labelled injections (deepset and others, permissive rows only)",
    (
        "everyday prompts as instructions, because a question in a tool result is out of place, and word "
        "problems and code as clean text (Dolly, CC BY-SA 3.0; GSM8K, HumanEval, MT-Bench and others, "
        "Apache-2.0 or MIT)"
    ),
    (
        "statements of exam questions (MMLU, MMLU-Pro, MIT and Apache-2.0), and texts with personal facts "
        "(presidio-research, MIT)"
    ),
    "this project's own pages and sources",
)
LIMITS = (
    "English: in another language it knows only what the encoder makes of it, which is little.",
    "A question in a page of questions and answers, or a step of a manual, may look like an instruction.",
    "An instruction that is encoded (base64, one letter a line) is not read.",
    "It is one line of defence: whoever knows it can write around it.",
)


@dataclass(frozen=True, slots=True)
class Figures:
    """How good the recipe is on documents whose likes and whose instructions it never saw."""

    auc: Estimate | None
    #: At ALARMS_MAX of the clean documents themselves.
    recall: Estimate | None
    #: At the threshold that is shipped, and the share of clean documents above it.
    recall_shipped: Estimate | None
    alarms: Estimate | None


def figures_of(hidden: NDArray[np.bool_], scores: NDArray[np.float64]) -> Figures:
    """Of documents with (`hidden`) and without an instruction; a score above 0 is above the threshold."""
    own = float(np.quantile(scores[~hidden], 1 - ALARMS_MAX, method="higher"))
    positives, negatives = int(hidden.sum()), int((~hidden).sum())
    return Figures(
        auc=auc(hidden, scores),
        recall=share(int((scores[hidden] > own).sum()), positives),
        recall_shipped=share(int((scores[hidden] > 0).sum()), positives),
        alarms=share(int((scores[~hidden] > 0).sum()), negatives),
    )


def write_card(
    folder: Path, figures: Figures, clean: NDArray[np.bool_], skipped: float, passages: int
) -> None:
    """Put card.md beside the head; clean: which clean files are above the threshold."""
    alarms = share(int(clean.sum()), len(clean))
    parts = [
        "# indirect: instructions inside tool results",
        (
            "Gives the chance that a passage of a tool result (a sentence, a line) wants something of the "
            "model that reads it. The guard reads tool results with it, passage by passage, and takes the "
            "worst. A net over the encoder's own vector and a table over words; `screen.npy` tells by words "
            "alone which passages need not be read."
        ),
        "## Learned from",
        f"{passages:,} passages:",
        bullets(SOURCES),
        "## How it was judged",
        (
            "The documents of BIPIA were halved so that neither documents (nor near-duplicates) nor "
            "instructions are in both halves; each half was judged by a head that learned from the other. "
            "This head then learned from both. The screen is part of all figures. Intervals are 95 %."
        ),
        bullets(
            (
                f"AUC {figures.auc}",
                f"recall at 1 % false alarms on these documents: {figures.recall}",
                (
                    f"at the shipped threshold (a score of {SCORE_MIN}): recall {figures.recall_shipped}, "
                    f"false alarms on the documents {figures.alarms}"
                ),
                (
                    "the threshold is what 1 % of clean files are above: pieces of 1,600 characters of "
                    "Python's standard library and of readmes of packages. False alarms of the shipped head "
                    f"on as many other pieces: {alarms}"
                ),
                f"passages of these files that the screen keeps from the encoder: {skipped:.0%}",
            )
        ),
        "## Limits",
        bullets(LIMITS),
    ]
    (folder / "card.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
