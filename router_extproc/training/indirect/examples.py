"""The passages that the head learns from, beside those of documents.

Clean prose and code come from exam questions, stories, texts with personal facts, and this project's own
pages and sources; instructions from templates, everyday prompts (a question in a tool result is out of place)
and labelled injections.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import router_extproc
from router_extproc.evaluation.rows import read_rows
from router_extproc.signals.parts.passages import PASSAGE_CHARS_MAX, passages_of
from router_extproc.training.indirect.templates import make_clean, make_instructions

SEED: Final = 5
PROJECT: Final = Path(router_extproc.__file__).parents[1]
EXAMS: Final = ("domain/mmlu.dev.jsonl", "domain/mmlu_pro.dev.jsonl")
PROMPTS: Final = "guard/prompts.dev.jsonl"
PERSONAL: Final = "pii/pii.dev.jsonl"
POOL: Final = "prompts/pool.jsonl"
STORIES: Final = frozenset({"gsm8k_train", "humaneval"})
#: Word problems: neither a question that somebody asks, nor clean when they end in one.
NO_PROMPTS: Final = STORIES | {"gsm8k_test"}
#: How many of each are drawn.
INSTRUCTIONS, ASKED, WITH_PROSE = 3000, 1200, 500
TEMPLATES_TIMES, EXAM_ROWS, PERSONAL_ROWS, STORY_ROWS, PROJECT_ROWS = 14, 2500, 900, 1200, 6000
CUT_ROWS, PAIRS = 3500, 600
#: Passages of one page and of one source.
PAGE_PASSAGES, SOURCE_PASSAGES = 80, 8
#: Characters of the prose around an instruction, and of an exam's statement.
AROUND_CHARS, STATEMENT_CHARS_MIN = 110, 40
CUT_WORDS_MIN: Final = 8
_OPTIONS: Final = re.compile(r"\n\(?A[).]")
_ASKS: Final = re.compile(
    r"\?$|___|^(?:What|Which|How|Find|Calculate|Determine|Why|Evaluate|Compute|Who|Explain|Select|Choose|Let)\b"
)


def read_examples(data: Path) -> dict[str, int]:
    """Passages, with 1 for instructions and 0 for clean ones."""
    generator = random.Random(SEED)
    prose = [*read_exams(data, generator), *read_project(generator)]
    lines = make_clean(TEMPLATES_TIMES, generator)
    clean = [*prose, *lines, *read_stories(data, generator), *read_personal(data, generator)]
    clean += [*cut_short(generator.sample([*prose, *lines], CUT_ROWS), generator), *pair(lines, generator)]
    hidden = [*make_instructions(INSTRUCTIONS, generator), *read_injections(data)]
    hidden += [*read_asked(data, generator), *put_into_prose(prose, generator)]
    return {**dict.fromkeys(hidden, 1), **dict.fromkeys(clean, 0)}


def read_exams(data: Path, generator: random.Random) -> list[str]:
    """Statements out of exam questions."""
    texts = [row.text("text") for name in EXAMS for row in read_rows(data / name, required=("text",))]
    found = [
        passage
        for text in generator.sample(texts, len(texts) // 3)
        for passage in passages_of(_OPTIONS.split(text)[0])
        if len(passage) > STATEMENT_CHARS_MIN and not _ASKS.search(passage)
    ]
    return generator.sample(found, EXAM_ROWS)


def read_project(generator: random.Random) -> list[str]:
    """Passages of this project's pages and sources; its training sources hold instructions."""
    pages = [*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")]
    package = Path(router_extproc.__file__).parent
    sources = [path for path in package.rglob("*.py") if "indirect" not in path.parts]
    found = [*_draw_of(pages, PAGE_PASSAGES, generator), *_draw_of(sources, SOURCE_PASSAGES, generator)]
    return generator.sample(found, min(PROJECT_ROWS, len(found)))


def read_stories(data: Path, generator: random.Random) -> list[str]:
    """What word problems tell before they ask, and lines of code."""
    texts = _pool(data, STORIES)
    found = [passage for text in texts for passage in passages_of(text) if not passage.endswith("?")]
    return generator.sample(found, STORY_ROWS)


def read_personal(data: Path, generator: random.Random) -> list[str]:
    """Passages with names, addresses and numbers."""
    texts = [row.text("text") for row in read_rows(data / PERSONAL, required=("text",))]
    return generator.sample([passage for text in texts for passage in passages_of(text)], PERSONAL_ROWS)


def read_asked(data: Path, generator: random.Random) -> list[str]:
    """Everyday prompts that are short enough for a passage."""
    rows = read_rows(data / POOL, required=("text", "source"))
    asked = [row.text("text") for row in rows if row.text("source") not in NO_PROMPTS]
    return generator.sample([text for text in asked if len(text) < PASSAGE_CHARS_MAX], ASKED)


def read_injections(data: Path) -> list[str]:
    """Labelled injections that are short enough for a passage."""
    rows = read_rows(data / PROMPTS, required=("text", "label"))
    found = (row.text("text") for row in rows if row.text("label") == "injection")
    return [text for text in found if len(text) <= PASSAGE_CHARS_MAX]


def cut_short(passages: Sequence[str], generator: random.Random) -> Iterator[str]:
    """The beginning or the end of passages: not every line ends with its sentence."""
    for passage in passages:
        words = passage.split(" ")
        if len(words) > CUT_WORDS_MIN:
            place = generator.randrange(2, len(words) - 3)
            yield " ".join(words[place:] if generator.random() < 0.5 else words[: place + 3])  # noqa: PLR2004 - half


def pair(lines: Sequence[str], generator: random.Random) -> Iterator[str]:
    """Two clean lines in one passage."""
    for _ in range(PAIRS):
        yield f"{generator.choice(lines)} {generator.choice(lines)}"[:PASSAGE_CHARS_MAX]


def put_into_prose(prose: Sequence[str], generator: random.Random) -> Iterator[str]:
    """Instructions with a piece of clean prose before or behind them."""
    for instruction in make_instructions(WITH_PROSE, generator):
        piece = generator.choice(prose)
        before = generator.random() < 0.5  # noqa: PLR2004 - half
        yield f"{piece[-AROUND_CHARS:]} {instruction}" if before else f"{instruction} {piece[:AROUND_CHARS]}"


def _pool(data: Path, sources: frozenset[str]) -> list[str]:
    rows = read_rows(data / POOL, required=("text", "source"))
    return [row.text("text") for row in rows if row.text("source") in sources]


def _draw_of(paths: Sequence[Path], count: int, generator: random.Random) -> Iterator[str]:
    for path in sorted(paths):
        passages = list(passages_of(path.read_text(encoding="utf-8")))
        yield from generator.sample(passages, min(count, len(passages)))
