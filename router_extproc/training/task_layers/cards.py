"""Writes the cards of the task layers and of their heads.

Every figure has its rows and its interval, and says on which rows it was taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.guard import ALARMS_MAX, GuardFigures
from router_extproc.models.onnx.heads import HEAD_NAME
from router_extproc.models.onnx.task_layers import TASKS_NAME, TaskLayersManifest
from router_extproc.signals.pii.names import NAME_SCORE_MIN
from router_extproc.training.heads.card import bullets, estimates_table
from router_extproc.training.task_layers.heads import ComplexityJudged, LabelFigures
from router_extproc.training.task_layers.judge import NameFigures
from router_extproc.training.task_layers.task_head import TaskHead

Weights = Mapping[str, NDArray[np.float32]]

DOMAIN_SOURCES = (
    "MMLU-Pro, questions and categories (TIGER-AI-Lab/MMLU-Pro, MIT and Apache-2.0)",
    "MMLU, subjects outside MMLU-Pro's, mapped to the same categories (MIT)",
    "CLINC150, 600 everyday prompts as `other` (clinc/oos-eval, CC BY 3.0)",
    "2,800 short questions made of topics and frames that were written for this project",
)
COMPLEXITY_SOURCES = (
    "what twelve models got right of MMLU-Pro (TIGER-AI-Lab, Apache-2.0)",
    "what Mixtral-8x7B and GPT-4-1106 got right of MMLU and GSM8K (lm-sys/RouteLLM, Apache-2.0)",
)
GUARD_SOURCES = (
    (
        "prompts of many sets, permissive rows only: deepset, garak, CatQA, AdvBench and others; 1,712 of the "
        "2,184 benign ones are hard (XSTest, NotInject, WildGuard): they look like attacks"
    ),
    "BIPIA, documents with and without hidden instructions (MIT)",
    (
        "700 everyday prompts, and 700 texts of 300 to 4,000 characters joined of others (Dolly, CC BY-SA 3.0; "
        "GSM8K, HumanEval, MT-Bench and others, Apache-2.0 or MIT)"
    ),
)
SPAN_SOURCES = (
    "presidio-research's generated texts (MIT) and other made-up ones",
    "3,500 everyday prompts in which nothing counts as personal: famous people, places that are asked about",
)


@dataclass(frozen=True, slots=True)
class Rows:
    """How many rows were learned from, and how many were kept for judging."""

    seen: int
    unseen: int


def write_task_layers(folder: Path, trunk: TaskLayersManifest, names: NameFigures, rows: Rows) -> None:
    """The card of the layers, with the figures of names: those have no head of their own."""
    size = (folder / TASKS_NAME).stat().st_size
    kinds = ", ".join(f"{kind} {value:.3f}" for kind, value in names.f1_by_kind.items())
    parts = [
        "# Task layers: the layers that read a prompt for every head",
        (
            f"The upper {6 - trunk.shared_layers} layers of MiniLM, trained for domain, complexity, guard and "
            f"names at once. They read the output of the lower {trunk.shared_layers} layers of `{trunk.encoder}`, as "
            "the encoder's own upper layers do, so the cache's vector is the same with and without them."
        ),
        f"`{TASKS_NAME}`, int8, {size / 1e6:.1f} MB; identity `{trunk.identity}`.",
        "## Learned from",
        bullets((*DOMAIN_SOURCES, *COMPLEXITY_SOURCES, *GUARD_SOURCES, *SPAN_SOURCES)),
        "## How it was judged",
        describe_split(rows),
        (
            f"Names and places, exact spans and kinds, from a score of {NAME_SCORE_MIN}, chosen on the same rows: F1 {names.f1:.3f} (precision "
            f"{names.precision}, recall {names.recall}); {kinds}. False alarms on everyday prompts: "
            f"{names.false_alarms}."
        ),
        "The heads' figures are on their own cards.",
        "## Limits",
        bullets(
            (
                "English; the first 256 tokens of a prompt. In training a text had at most 128 tokens.",
                "Names: the training texts are generated, and sources disagree on what is a place or an address.",
                "Names in questions about well-known people and places are not meant to be found.",
            )
        ),
    ]
    write(folder, parts)


def write_domain(folder: Path, figures: LabelFigures, made: TaskHead, rows: Rows) -> None:
    """The card of `mmlu14`."""
    beside = (
        f"a small net over the encoder's own vector (weight {made.meaning[1] if made.meaning else 0}) and a "
        f"table over words and pairs of words (weight {made.words[1] if made.words else 0})"
    )
    parts = [
        "# mmlu14: the domain of a prompt",
        (
            "Gives the chance that a prompt belongs to each of the 14 categories of MMLU-Pro. Small talk "
            f"and everyday commands are `other`. One layer over the task vector, {beside}; {megabytes(folder)}."
        ),
        "## Learned from",
        bullets(DOMAIN_SOURCES),
        "## How it was judged",
        describe_split(rows),
        estimates_table("accuracy on", figures.accuracy),
        (
            f"Calibration error of the best score (ECE): {figures.calibration_error:.3f}, at temperature "
            f"{made.temperature:.2f}."
        ),
        "## Recall by label",
        estimates_table("label", figures.recall),
        "## Limits",
        bullets(
            (
                "English. It learned from exam questions and from short generated ones.",
                "`other` is also a category of MMLU-Pro (general knowledge): it does not prove small talk.",
                "It confuses neighbouring fields most, for example engineering and physics.",
            )
        ),
    ]
    write(folder, parts)


def write_guard(folder: Path, figures: GuardFigures, labels: LabelFigures, rows: Rows) -> None:
    """The card of `guard`."""
    parts = [
        "# guard: jailbreaks and injections",
        (
            "Gives the chances that a prompt is benign, a harmful request, an injection (text that wants to take "
            "over an application's instructions) or a jailbreak (text that wants to undo a model's rules). A "
            "harmful request is not an attack but a kind of its own, which the signal ignores unless `kinds` names "
            f"it. {megabytes(folder)}."
        ),
        "## Learned from",
        bullets(GUARD_SOURCES),
        "## How it was judged",
        describe_split(rows),
        tell_guard(figures),
        estimates_table("accuracy on", labels.accuracy),
        f"Calibration error of the best score (ECE): {labels.calibration_error:.3f}.",
        "## Recall by label",
        estimates_table("label", labels.recall),
        "## Limits",
        bullets(
            (
                "Mostly English.",
                "Only the encoder's window is read: an attack after the first 256 tokens is missed.",
                "It is one line of defence: whoever knows it can write around it.",
            )
        ),
    ]
    write(folder, parts)


def tell_guard(figures: GuardFigures) -> str:
    """Attacks against benign prompts, and what length has to do with it."""
    recalls = ", ".join(f"{kind} {recall}" for kind, recall in figures.recalls.items())
    return (
        f"Attack or benign (harmful requests left out): AUC {figures.auc}. At {ALARMS_MAX:.0%} false alarms, "
        f"which is a score of {figures.score_min:.3f}, {figures.recall} of the attacks are found "
        f"({recalls}).\n\n"
        f"Length: alone it has an AUC of {figures.auc_of_length}. The rank correlation of score and length "
        f"is {figures.length_in_benign:.2f} among benign prompts and {figures.length_in_attacks:.2f} among "
        f"attacks. Among prompts of similar length (eight bins) the score has an AUC of "
        f"{figures.auc_matched or 0.0:.3f}."
    )


def write_complexity(folder: Path, figures: ComplexityJudged, rows: Rows) -> None:
    """The card of `complexity`."""
    parts = [
        "# complexity: does a weak model fail?",
        (
            "Gives the chance that a weak model (Llama-3.1-8B, or Mixtral-8x7B) answers wrongly. For "
            "questions with answer options the results of a strong model are known, too: questions on which both fail "
            "count half, and the score says what a strong model would gain. Linear layers over the task vector and the "
            "encoder's own, weighted by a table over words that tells the two kinds of prompts apart; "
            f"{megabytes(folder)}."
        ),
        "## Learned from",
        bullets(COMPLEXITY_SOURCES),
        "## How it was judged",
        describe_split(rows),
        (
            f"Llama-3.1-8B-Instruct fails on a question of MMLU-Pro: AUC {figures.auc}; calibration error (ECE) "
            f"{figures.calibration_error:.3f}. Routing between Mixtral-8x7B and GPT-4 by the score: APGR "
            f"{tell(figures.apgr)}, and {tell(figures.kept_at_half)} of the strong model's accuracy is kept when "
            "it gets half of the calls."
        ),
        "## Limits",
        bullets(
            (
                "English exam questions: it did not learn what is hard elsewhere (long code, many steps).",
                "Which questions a model gets wrong depends only partly on the question, so no score is certain.",
            )
        ),
    ]
    write(folder, parts)


def tell(value: float | None) -> str:
    """A figure without interval."""
    return "unknown" if value is None else f"{value:.3f}"


def describe_split(rows: Rows) -> str:
    """How rows were kept apart."""
    return (
        f"{rows.unseen:,} rows of all tasks were never trained on; {rows.seen:,} were. Similar texts are on one side "
        "of this split: those that open with the same twelve words, are the same question, or have vectors with a "
        "cosine of 0.92 or more. No template of more than 1 % of the rows is judged on. The figures are of the "
        "shipped int8 artifact. Weights of parts and temperatures were chosen on every second unseen row, and the "
        "figures are of the others. Intervals are 95 %."
    )


def megabytes(folder: Path) -> str:
    """The size of the head."""
    return f"{(folder / HEAD_NAME).stat().st_size / 1e6:.2f} MB"


def write(folder: Path, parts: Sequence[str]) -> None:
    """Put card.md into the folder."""
    (folder / "card.md").write_text("\n\n".join(parts) + "\n", encoding="utf-8")
