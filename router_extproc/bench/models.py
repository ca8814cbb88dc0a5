"""Measures what understanding a prompt costs: encoder, task layers, every signal, rules, verifier.

One thread, one prompt at a time, every prompt a new one, and whatever signal is registered is measured.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import cycle, islice
from typing import Final, TypeAlias

import numpy as np

from router_extproc.bench.prompts import Prompts
from router_extproc.models.onnx.classifiers import EncoderClassifiers
from router_extproc.models.onnx.encoder import OnnxEncoder
from router_extproc.models.onnx.open import open_encoder
from router_extproc.models.onnx.verifier import WINDOW_TOKENS, OnnxVerifier
from router_extproc.models.onnx.verifier_open import open_verifier
from router_extproc.routing.catalogue import Target
from router_extproc.routing.decision import RoutingDecision
from router_extproc.routing.policy import Policy
from router_extproc.routing.rules import read_rule
from router_extproc.routing.selection.base import Candidate
from router_extproc.signals import SIGNALS
from router_extproc.signals.base import Reading, Signal, Subject
from router_extproc.testing.subjects import subject_of

#: Tokens of the prompts, the encoder's marks included.
TOKENS: Final = (10, 32, 128, 512)
#: What a signal cannot be opened without.
SECTIONS: Final[Mapping[str, Mapping[str, object]]] = {
    "intent": {"model": "mmlu14"},
    "similarity": {"examples": {"hours": ["when do you open"], "refund": ["give my money back"]}},
    "keywords": {"any": ["asap", "urgent"], "regex": [r"\bOPS-\d+"], "fuzzy": {"max_edits": 1}},
    "context_length": {"min_tokens": 1000},
    "header": {"header": "x-tier"},
    "claim": {"claim": "tier"},
}
#: Of the policy that is timed: decisions, and signals that their rules read.
DECISIONS: Final = 100
RULED_SIGNALS: Final = 20
#: Prompts that signals are timed on, again and again.
SUBJECTS_MAX: Final = 20
#: Runs before the measured ones.
WARM_UP: Final = 5
#: As two like questions have it.
SIMILARITY: Final = 0.9


#: What is timed.
Job: TypeAlias = Callable[[], object]


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one task on prompts of one length, milliseconds."""

    task: str
    #: Of the prompt; of each question for the verifier.
    tokens: int
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured, opened once."""

    encoder: OnnxEncoder
    signals: Mapping[str, Signal]
    verifier: OnnxVerifier


def open_bench() -> Bench:
    """Every registered signal over the built-in encoder.

    Raises:
        ConfigError: a model has not been built.
    """
    encoder = open_encoder(max_tokens=max(TOKENS))
    classifiers = EncoderClassifiers(encoder)
    signals = {
        kind: settings.model_validate({"type": kind, **SECTIONS.get(kind, {})}).open(kind, classifiers)
        for kind, settings in SIGNALS.items()
    }
    return Bench(encoder, signals, open_verifier())


def measure_models(bench: Bench, *, runs: int, tokens: Sequence[int] = TOKENS) -> Iterator[Cost]:
    """Every task at every length; tasks vary fastest."""
    for length in tokens:
        for task, jobs in jobs_of(bench, length, runs + WARM_UP):
            yield cost_of(task, length, time_jobs(jobs))


def jobs_of(bench: Bench, tokens: int, runs: int) -> Iterator[tuple[str, Iterator[Job]]]:
    """Each task by name, and what is to be timed: every run has a prompt of its own."""
    prompts, encoder = Prompts(), bench.encoder
    asked = [prompts.fresh(tokens) for _ in range(runs)]
    yield "encoder", (partial(encoder.encode, prompt) for prompt in asked)
    yield "encoder and task layers", (partial(encoder.encode, prompt, tasks=True) for prompt in asked)
    # The pass comes before: all signals share it. A few subjects are enough, no signal remembers them.
    subjects = [encoded(encoder, prompt) for prompt in asked[:SUBJECTS_MAX]]
    for kind, signal in bench.signals.items():
        yield f"signal {kind}", (partial(signal.read, subject) for subject in islice(cycle(subjects), runs))
    yield "pass and all signals", (partial(read_all, bench, prompt) for prompt in asked)
    policy, readings = long_policy(), {name: Reading(name, None, 0.4) for name in ruled_signals()}
    yield f"policy of {DECISIONS} decisions", (partial(policy.decide, readings) for _ in range(runs))
    if tokens <= WINDOW_TOKENS:
        pairs = zip(asked, reversed(asked), strict=True)
        yield "verifier, one pair", (partial(bench.verifier.verify, *pair, SIMILARITY) for pair in pairs)


def long_policy() -> Policy:
    """Rules of four tests each, none of which holds: the most that a decision can cost."""
    target, names = Target("small", "pool", "small", None), ruled_signals()
    decisions = []
    for index in range(DECISIONS):
        one, two, three, four = (names[(index + offset) % len(names)] for offset in range(4))
        several = {"any": [{one: ["law", "math"]}, {two: {"min": 0.6}}]}
        when = {"all": [{"not": {three: "law"}}, {"not": several}, {four: {"any": ["math"], "min": 0.9}}]}
        decisions.append(RoutingDecision(f"d{index}", index, read_rule(when), (Candidate(target),), None))
    return Policy(decisions, default=target)


def ruled_signals() -> list[str]:
    """Names of signals."""
    return [f"s{index}" for index in range(RULED_SIGNALS)]


def encoded(encoder: OnnxEncoder, prompt: str) -> Subject:
    """What signals look at."""
    return replace(subject_of(prompt), encoding=encoder.encode(prompt, tasks=True))


def read_all(bench: Bench, prompt: str) -> None:
    """As a request does: one pass, then every signal."""
    subject = encoded(bench.encoder, prompt)
    for signal in bench.signals.values():
        signal.read(subject)


def time_jobs(jobs: Iterator[Job]) -> list[float]:
    """Seconds of each job but the first WARM_UP."""
    seconds = []
    for job in jobs:
        started = time.perf_counter()
        job()
        seconds.append(time.perf_counter() - started)
    return seconds[WARM_UP:]


def cost_of(task: str, tokens: int, seconds: Sequence[float]) -> Cost:
    """Median and 95th percentile."""
    p50, p95 = np.quantile(seconds, [0.5, 0.95]) * 1000
    return Cost(task, tokens, round(float(p50), 3), round(float(p95), 3))
