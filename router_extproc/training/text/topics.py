"""Chat-like questions with a known domain, made of topics and frames.

Topics and frames were written for this project; they claim no facts.
"""

from __future__ import annotations

import random

from router_extproc.training.text.word_sets import TOPICS, read_lines

FRAMES = read_lines("frames.txt")


def make_chats(count: int, rng: random.Random) -> list[tuple[str, str]]:
    """`count` questions, each with its domain; domains take turns."""
    return [make_chat(domain, rng) for domain in (list(TOPICS) * (count // len(TOPICS) + 1))[:count]]


def make_chat(domain: str, rng: random.Random) -> tuple[str, str]:
    """One question of the domain, and the domain."""
    topic = rng.choice(TOPICS[domain])
    text = rng.choice(FRAMES).format(topic)
    return (text if rng.random() < 0.6 else text[0].upper() + text[1:]), domain  # noqa: PLR2004 - a share
