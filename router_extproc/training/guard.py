"""Makes the shipped head `guard`: whether a prompt is a jailbreak or an injection.

It is not the trainer. The rule it keeps: length must not be what is learned, so benign prompts are also
joined into texts as long as jailbreaks are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.signals.guard import ATTACKS, BENIGN
from router_extproc.training.card import CardText
from router_extproc.training.evaluate_guard import ALARMS_MAX, GuardFigures, judge_guard
from router_extproc.training.intent import Example, TrainedHead
from router_extproc.training.rows import read_rows

NAME = "guard"
FOLDER = ARTIFACTS / NAME
PROMPTS = "guard/prompts.dev.jsonl"
EVERYDAY = "prompts/pool.jsonl"
#: Everyday prompts that are learned as benign, and texts joined of them.
EVERYDAY_ROWS = 700
JOINED_ROWS = 700
#: Characters of a joined text: evenly spread on a logarithmic scale, as jailbreaks are.
JOINED_CHARS = (300, 4000)
SEED = 11

CARD = CardText(
    title="guard: jailbreaks and injections",
    task=(
        "Gives the chances that a prompt is benign, a harmful request, an injection (text that wants to take "
        "over an application's instructions) or a jailbreak (text that wants to undo a model's rules). One "
        "hidden layer over the frozen encoder's vector. A harmful request is no attack: it is a kind of its "
        "own, which the signal leaves out unless `kinds` names it."
    ),
    sources=(
        "5,585 prompts of many sets, permissive rows only: deepset, garak, CatQA, AdvBench and others",
        "1,712 of the 2,184 benign ones are hard (XSTest, NotInject, WildGuard): they look like attacks",
        "700 everyday prompts, and 700 texts of 300 to 4,000 characters joined of others, never judged on",
        "The everyday ones: Dolly, CC BY-SA 3.0; GSM8K, HumanEval, MT-Bench and others, Apache-2.0 or MIT",
    ),
    split=(
        "A fifth of the rows, drawn by group: texts that open with the same twelve words, or whose vectors "
        "have a cosine of 0.92 or more, are on one side."
    ),
    limits=(
        "Mostly English.",
        "Only the encoder's window is read: an attack behind the first 256 tokens is not seen.",
        "Documents with an instruction hidden in them were not learned from.",
        "Injections are found less well than jailbreaks: many are a line that could stand in any prompt.",
        "It is one line of defence: who knows it can write around it.",
    ),
)


def read_examples(data: Path) -> list[Example]:
    """The labelled prompts, and everyday ones as benign."""
    rows = read_rows(data / PROMPTS, required=("text", "label", "source"))
    labelled = [
        Example(row.text("text"), row.text("label"), row.text("source").split("/")[0]) for row in rows
    ]
    pool = [row.text("text") for row in read_rows(data / EVERYDAY, required=("text",))]
    return [*labelled, *(Example(text, BENIGN, "everyday", judged=False) for text in draw_everyday(pool))]


def draw_everyday(pool: Sequence[str]) -> list[str]:
    """EVERYDAY_ROWS prompts, and JOINED_ROWS long texts of others."""
    generator = np.random.default_rng(SEED)
    order = [pool[place] for place in generator.permutation(len(pool))]
    alone, rest = order[:EVERYDAY_ROWS], order[EVERYDAY_ROWS:]
    low, high = np.log(JOINED_CHARS)
    lengths = np.exp(generator.uniform(low, high, JOINED_ROWS)).astype(int)
    return alone + [join_prompts(rest, int(length), generator) for length in lengths]


def join_prompts(prompts: Sequence[str], length: int, generator: np.random.Generator) -> str:
    """Prompts at random under each other until the text is so long; what is over is cut."""
    text = ""
    while len(text) < length:
        text += prompts[int(generator.integers(len(prompts)))] + "\n\n"
    return text[:length]


def judge_unseen(trained: TrainedHead) -> GuardFigures:
    """The figures of the rows that were not trained on; harmful requests count on neither side."""
    unseen = trained.unseen
    rows = [place for place, example in enumerate(unseen.examples) if example.label in (BENIGN, *ATTACKS)]
    return judge_guard(
        attack_scores(trained)[rows],
        [unseen.examples[place].label for place in rows],
        [len(unseen.examples[place].text) for place in rows],
    )


def attack_scores(trained: TrainedHead) -> NDArray[np.float64]:
    """The chance of any attack, by unseen row."""
    columns = [trained.labels.index(kind) for kind in ATTACKS]
    return np.asarray(trained.unseen.scores[:, columns].sum(axis=1), np.float64)


def tell(figures: GuardFigures) -> str:
    """The card's paragraph of the figures that matter here."""
    recalls = ", ".join(f"{kind} {recall}" for kind, recall in figures.recalls.items())
    return (
        f"Attack or benign (harmful requests left out): AUC {figures.auc}. At {ALARMS_MAX:.0%} false alarms, "
        f"which is a score of {figures.score_min:.3f}, {figures.recall} of the attacks are found "
        f"({recalls}).\n\n"
        f"Length: alone it has an AUC of {figures.auc_of_length}. The rank correlation of score and length "
        f"is {figures.length_in_benign:.2f} among benign prompts and {figures.length_in_attacks:.2f} among "
        f"attacks. Between prompts of like length (eight bins) the score has an AUC of "
        f"{figures.auc_matched or 0.0:.3f}."
    )
