"""Makes the shipped head `guard`: whether a prompt is a jailbreak or an injection.

Length must not be what is learned, so benign prompts are also joined into texts as long as jailbreaks
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from router_extproc.evaluation.rows import read_rows
from router_extproc.models.onnx.heads import ARTIFACTS
from router_extproc.signals.guard import BENIGN
from router_extproc.training.heads.examples import Example

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
