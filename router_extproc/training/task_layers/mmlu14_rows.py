"""Makes the shipped head `mmlu14`: which of the 14 MMLU-Pro categories a prompt is about.

Rows are read where they lie and never copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from router_extproc.evaluation.rows import read_rows
from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.training.heads.examples import Example

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


def read_chat(path: Path) -> Sequence[Example]:
    """CHAT_ROWS everyday prompts, drawn at random."""
    rows = read_rows(path, required=("text", "label"))
    texts = [row.text("text") for row in rows if row.text("label") not in NOT_OTHER]
    chosen = np.random.default_rng(CHAT_SEED).permutation(len(texts))[:CHAT_ROWS]
    return [Example(texts[index], OTHER, "clinc150", judged=False) for index in chosen]
