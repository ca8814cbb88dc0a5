"""Words that stand in each other's place, and topics by domain; the lists are in `words/`.

Inside one kind no two words mean the same, and swapping two of them changes what a question asks; a topic
belongs to one domain only.
"""

from __future__ import annotations

import re
from pathlib import Path

FOLDER = Path(__file__).with_name("words")
#: Numbers in words; the position is the value.
NUMBER_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
)  # fmt: skip


def read_entries(name: str) -> dict[str, str]:
    """Lines `key: text` of a list; a line that starts with blanks goes on with the one before."""
    entries = re.split(r"\n(?=\S)", (FOLDER / name).read_text(encoding="utf-8").strip())
    return {key: " ".join(text.split()) for key, text in (entry.split(":", 1) for entry in entries)}


def read_lines(name: str) -> tuple[str, ...]:
    """The lines of a list."""
    return tuple((FOLDER / name).read_text(encoding="utf-8").splitlines())


def read_couples(name: str) -> dict[str, list[str]]:
    """Entries `a/b` of a list, both ways: for every word, what may stand in its place; "_" is a blank."""
    table: dict[str, list[str]] = {}
    for entry in (FOLDER / name).read_text(encoding="utf-8").split():
        first, second = entry.replace("_", " ").split("/")
        table.setdefault(first, []).append(second)
        table.setdefault(second, []).append(first)
    return table


#: Members of every kind: a question about one is never answered by an answer about another.
KINDS = {kind: tuple(members.split()) for kind, members in read_entries("kinds.txt").items()}
#: Words and what they turn into when a question is turned round.
OPPOSITES = read_couples("opposites.txt")
#: Words and others that mean the same in nearly every question.
SYNONYMS = read_couples("synonyms.txt")
#: What people ask about, by domain.
TOPICS = {domain: tuple(topics.split("; ")) for domain, topics in read_entries("topics.txt").items()}
