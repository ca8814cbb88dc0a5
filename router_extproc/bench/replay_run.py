"""One run of `bench cache`: opens encoder and verifier, and replays one stream by every rule.

All rules meet the same questions in the same order, encoded once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from router_extproc.bench.replay import Asked, CosineVerifier, Rule, read_question, replay
from router_extproc.bench.replay_figures import ReplayFigures, judge_replay
from router_extproc.bench.stream import LabelledPair, Labels
from router_extproc.evaluation.metrics import exact_share
from router_extproc.models.base import Encoder
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.verifier_open import open_verifier

#: Cosines at which a cache without a verifier is shown beside ours.
COSINES: Final = (0.8, 0.9)

#: Told a step's name and its questions; gives what is to be called after each of them.
OpenStep: TypeAlias = Callable[[str, int], Callable[[], None]]


def run_replay(pairs: Sequence[LabelledPair], questions: Sequence[str], open_step: OpenStep) -> ReplayFigures:
    """The figures of every rule.

    Raises:
        ConfigError: a model has not been built.
    """
    labels, encoder, distinct = Labels(pairs), open_encoder(), len(set(questions))
    rules = (*plain_rules(), Rule("default", open_verifier()))
    stream = _read_all(questions, encoder, open_step("encode", distinct))
    judged = []
    for rule in rules:
        step = open_step(rule.name, len(stream))
        lookups = asyncio.run(replay(stream, rule, labels, encoder.identity, on_question=step))
        judged.append(judge_replay(rule.name, lookups))
    answerable = exact_share(len(questions) - labels.clusters(questions), len(questions))
    return ReplayFigures(len(pairs), len(questions), distinct, answerable, tuple(judged))


def plain_rules() -> tuple[Rule, ...]:
    """What stands beside ours: no semantic tier, and thresholds alone."""
    return (
        Rule("exact only", None),
        *(Rule(f"cosine {cosine}", CosineVerifier(cosine)) for cosine in COSINES),
    )


def _read_all(questions: Sequence[str], encoder: Encoder, on_question: Callable[[], None]) -> list[Asked]:
    known: dict[str, Asked] = {}
    for text in questions:
        if text not in known:
            known[text] = read_question(text, encoder)
            on_question()
    return [known[text] for text in questions]
