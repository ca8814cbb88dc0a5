"""Makes the shipped head `mmlu14`: which of the 14 MMLU-Pro categories a prompt is about.

It is not the trainer. The rule it keeps: rows are read where they lie and never copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.training.card import CardText
from router_extproc.training.intent import Example
from router_extproc.training.rows import read_rows

NAME = "mmlu14"
FOLDER = ARTIFACTS / NAME
OTHER = "other"
SOURCES = {"mmlu_pro": "domain/mmlu_pro.dev.jsonl", "mmlu": "domain/mmlu.dev.jsonl"}
CHAT = "intents/clinc150.train.jsonl"
#: So many everyday prompts are learned as `other`. Of HWU64's commands, which it never saw, 0.25 are
#: `other` without them, 0.93 with 600, 0.98 with 2,000; but the more there are, the more casual
#: questions of a domain ("is my headache serious?") become `other` too.
CHAT_ROWS = 600
CHAT_SEED = 11
#: Everyday intents that are about one of the categories, or may be: they say nothing of `other`.
# fmt: off
NOT_OTHER = frozenset({
    "apr", "calculator", "calories", "credit_limit", "credit_score", "date", "definition", "direct_deposit",
    "distance", "exchange_rate", "flip_coin", "fun_fact", "gas", "improve_credit_score", "income",
    "insurance", "interest_rate", "international_fees", "international_visa", "jump_start",
    "meaning_of_life", "measurement_conversion", "min_payment", "mpg", "nutrition_info", "oil_change_how",
    "oos", "plug_type", "roll_dice", "rollover_401k", "spelling", "taxes", "time", "timezone",
    "tire_pressure", "translate", "travel_alert", "vaccines", "w2",
})
# fmt: on

CARD = CardText(
    title="mmlu14: the domain of a prompt",
    task=(
        "Gives the 14 categories of MMLU-Pro (biology, business, chemistry, computer science, economics, "
        "engineering, health, history, law, math, other, philosophy, physics, psychology), each with the "
        "chance that the prompt belongs there. Small talk and everyday commands are `other`. One hidden "
        "layer over the frozen encoder's vector."
    ),
    sources=(
        "MMLU-Pro, 9,320 questions (TIGER-AI-Lab/MMLU-Pro, MIT and Apache-2.0)",
        "MMLU, 5,844 questions of subjects outside MMLU-Pro's, mapped to the same categories (MIT)",
        "CLINC150, 600 everyday prompts as `other`, never judged on (clinc/oos-eval, CC BY 3.0)",
    ),
    split=(
        "A fifth of the rows, drawn by group: texts that open with the same twelve words, or whose vectors "
        "have a cosine of 0.92 or more, are on one side."
    ),
    limits=(
        "English. It learned from exam questions: only half of 65 casual ones get a right score over 0.5.",
        "`other` is also a category of MMLU-Pro (general knowledge): it does not prove small talk.",
        "Neighbouring fields are told apart least well: engineering and physics, business and economics.",
        "Logistic regression on the same vectors reaches 0.777 on MMLU-Pro. More needs a fine-tuned encoder.",
    ),
)


def read_examples(data: Path) -> list[Example]:
    """The rows of both domain sets, and everyday prompts as `other`."""
    examples = [
        Example(row.text("text"), row.text("label"), source)
        for source, name in SOURCES.items()
        for row in read_rows(data / name, required=("text", "label"))
    ]
    return [*examples, *read_chat(data / CHAT)]


def read_chat(path: Path) -> Sequence[Example]:
    """CHAT_ROWS everyday prompts, drawn at random."""
    rows = read_rows(path, required=("text", "label"))
    texts = [row.text("text") for row in rows if row.text("label") not in NOT_OTHER]
    chosen = np.random.default_rng(CHAT_SEED).permutation(len(texts))[:CHAT_ROWS]
    return [Example(texts[index], OTHER, "clinc150", judged=False) for index in chosen]
