"""The rows of every task that the task layers learn, with their targets.

Rows are read where they lie and never copied; a row knows for which tasks it has a target, and near-
duplicates are on one side of the split.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from router_extproc.evaluation.rows import read_rows
from router_extproc.training.task_layers import guard_rows
from router_extproc.training.task_layers.mmlu14_rows import CHAT as EVERYDAY
from router_extproc.training.task_layers.mmlu14_rows import OTHER, SOURCES, read_chat
from router_extproc.training.text.word_sets import read_entries, read_lines

#: The categories of MMLU-Pro.
DOMAINS = (
    "biology", "business", "chemistry", "computer science", "economics", "engineering", "health", "history",
    "law", "math", "other", "philosophy", "physics", "psychology",
)  # fmt: skip
GUARD_LABELS = ("benign", "harmful_request", "injection", "jailbreak")
#: Models whose results are learned together: what is hard for many is told better than for one.
SOLVERS = (
    "Meta-Llama-3_1-8B-Instruct", "Meta-Llama-3_1-8B", "Meta-Llama-3-8B", "Mistral-7B-v0.1", "gemma-7b",
    "Qwen1.5-7B-Chat", "Phi-3-mini-4k-instruct", "Mixtral-8x7B-Instruct-v0.1", "Yi-34B", "Llama-2-70b-hf",
    "Meta-Llama-3_1-70B-Instruct", "Qwen1.5-110B",
)  # fmt: skip
#: Kinds of spans that the token head finds, and the names that data sets have for them.
SPAN_KINDS = ("PERSON", "LOCATION", "ORGANIZATION", "STREET_ADDRESS")
SAME_KIND = {
    "PERSON": "PERSON", "LOCATION": "LOCATION", "GPE": "LOCATION", "ORGANIZATION": "ORGANIZATION",
    "ORG": "ORGANIZATION", "STREET_ADDRESS": "STREET_ADDRESS", "ADDRESS": "STREET_ADDRESS",
}  # fmt: skip

CORRECT = "complexity/mmlu_pro_correct.dev.jsonl"
ROUTED = "complexity/routellm.dev.jsonl"
SPANS = "pii/pii.dev.jsonl"
INDIRECT = "guard/bipia_indirect.train.jsonl"
POOL = "prompts/pool.jsonl"
#: Everyday prompts without personal facts, learned as such, and short questions by domain.
CLEAN_ROWS = 3500
CHAT_ROWS = 2800
SEED = 23
#: Answer options after a RouteLLM question; the question itself is what must not be on both sides.
OPTIONS = re.compile(r"\nA\. ")


@dataclass(frozen=True, slots=True)
class TaskRow:
    """A text and what is known of it."""

    text: str
    #: The batch kind that it is drawn for: rows of one kind have targets for the same heads.
    kind: str
    source: str
    domain: int = -1
    guard: int = -1
    #: float32[len(SOLVERS)]: 1 where the model failed, NaN where nothing is known.
    failed: NDArray[np.float32] | None = None
    #: (weak failed, strong failed).
    routed: tuple[int, int] | None = None
    #: (start, end, index into SPAN_KINDS); None: nothing is known.
    spans: tuple[tuple[int, int, int], ...] | None = None
    #: False: only trained on, never judged.
    judged: bool = True
    #: The text by which near-duplicates are found.
    question: str = field(default="")


def read_task_rows(data: Path) -> list[TaskRow]:
    """Every row of every task, in an order that depends on the files alone."""
    return [
        *read_domain(data),
        *read_routed(data),
        *read_guard(data),
        *read_spans(data),
    ]


# ── domain and complexity ─────────────────────────────────────────────────────────────────────


def read_domain(data: Path) -> Iterator[TaskRow]:
    """Questions by category, those of MMLU-Pro with the models that failed; short ones by topic."""
    failed = {
        row.text("text"): failures(row.fields["correct"])
        for row in read_rows(data / CORRECT, required=("text",))
    }
    for source, name in SOURCES.items():
        for row in read_rows(data / name, required=("text", "label")):
            text = row.text("text")
            label = DOMAINS.index(row.text("label"))
            yield TaskRow(text, "domain", source, domain=label, failed=failed.get(text), question=text)
    for example in read_chat(data / EVERYDAY):
        yield TaskRow(example.text, "domain", "everyday", domain=DOMAINS.index(OTHER), judged=False)
    for domain, text in make_chat(CHAT_ROWS, np.random.default_rng(SEED)):
        yield TaskRow(text, "domain", "chat", domain=DOMAINS.index(domain), judged=False)


def failures(correct: dict[str, Any]) -> NDArray[np.float32]:  # Any: JSON
    """1 for every solver that failed; NaN where a model was not asked."""
    values = [correct.get(solver) for solver in SOLVERS]
    return np.array([np.nan if value is None else 1 - int(value) for value in values], np.float32)


def make_chat(count: int, generator: np.random.Generator) -> Iterator[tuple[str, str]]:
    """Short questions as people chat them, with their domains, drawn at random."""
    frames = read_lines("chat_frames.txt")
    topics = [
        (domain, topic)
        for domain, listed in read_entries("domains.txt").items()
        for topic in listed.split("; ")
    ]
    for _ in range(count):
        domain, topic = topics[int(generator.integers(len(topics)))]
        yield domain, frames[int(generator.integers(len(frames)))].format(topic)


def read_routed(data: Path) -> Iterator[TaskRow]:
    """Questions that a weak and a strong model were asked."""
    for row in read_rows(data / ROUTED, required=("text", "benchmark")):
        failed = (1 - int(row.fields["weak_correct"]), 1 - int(row.fields["strong_correct"]))
        text = row.text("text")
        question = OPTIONS.split(text)[0]
        yield TaskRow(text, "routed", row.text("benchmark").split("/")[0], routed=failed, question=question)


# ── guard ─────────────────────────────────────────────────────────────────────────────────────


def read_guard(data: Path) -> Iterator[TaskRow]:
    """Attacks and prompts that are none; documents with and without hidden instructions."""
    for example in guard_rows.read_examples(data):
        label = GUARD_LABELS.index(example.label)
        yield TaskRow(
            example.text, "guard", example.source, guard=label, judged=example.judged, question=example.text
        )
    for row in read_rows(data / INDIRECT, required=("text", "label")):
        text = row.text("text")
        label = GUARD_LABELS.index(row.text("label"))
        yield TaskRow(text, "guard", "bipia", guard=label, question=text)


# ── spans ─────────────────────────────────────────────────────────────────────────────────────


def read_spans(data: Path) -> Iterator[TaskRow]:
    """Texts with names and places, and everyday prompts that are about nobody."""
    for row in read_rows(data / SPANS, required=("text", "source")):
        spans = tuple(
            (span["start"], span["end"], SPAN_KINDS.index(SAME_KIND[span["type"]]))
            for span in row.fields["spans"]
            if span["type"] in SAME_KIND
        )
        # Rows that say they hold facts, and mark none, teach nothing.
        if row.fields["spans"] or not row.fields["has_pii"]:
            yield TaskRow(
                row.text("text"), "spans", row.text("source"), spans=spans, question=row.text("text")
            )
    yield from read_clean(data)


def read_clean(data: Path) -> Iterator[TaskRow]:
    """Everyday prompts as texts without personal facts: famous names and made-up persons are none."""
    texts = [row.text("text") for row in read_rows(data / POOL, required=("text",))]
    order = np.random.default_rng(SEED).permutation(len(texts))[:CLEAN_ROWS]
    for place in order:
        yield TaskRow(texts[place], "spans", "everyday", spans=(), question=texts[place])


def texts_of(rows: Sequence[TaskRow]) -> list[str]:
    """Each text once, in order."""
    return list(dict.fromkeys(row.text for row in rows))
