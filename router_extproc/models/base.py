"""Ports to the neural models: encoder, classifier, verifier, and the executor that runs them.

`models.onnx` implements them. Encoder and classifier methods block: call them from the inference executor,
never from the event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

#: float32[dim], length 1 (or all zeros for a text without tokens).
Vector: TypeAlias = NDArray[np.float32]

ResultT = TypeVar("ResultT")


@dataclass(frozen=True, slots=True)
class NameSpan:
    """A name or a place in a text."""

    #: Characters of the text, end not included.
    start: int
    end: int
    kind: str
    #: Chance that it is one of any kind.
    score: float


@dataclass(frozen=True, slots=True)
class TaskReading:
    """What the task layers add to an encoder pass: they read the same text once more, for the heads."""

    #: float32[dim], of any length; heads of the task layers read it.
    vector: Vector
    names: Sequence[NameSpan] = ()


@dataclass(frozen=True, slots=True)
class Encoding:
    """One encoder pass over one text."""

    vector: Vector
    #: Tokens that the encoder read.
    tokens: int
    #: The text was longer than the encoder's window; the vector is of its beginning only.
    truncated: bool
    #: Tokens that the encoder has no word for (emoji, scripts it never saw). The vector knows
    #: nothing of them: texts that differ only there have the same vector.
    unknown_tokens: int = 0
    #: None: not asked for, or the encoder has no task layers.
    tasks: TaskReading | None = None
    #: The tokens that were read, special ones included; heads that know words read them.
    ids: Sequence[int] = ()

    @property
    def is_readable(self) -> bool:
        """True when the encoder knew at least one token; else the vector is about nothing."""
        return self.tokens > self.unknown_tokens

    @property
    def is_faithful(self) -> bool:
        """True when the vector is of the whole text, so that its similarity to others says something."""
        return self.tokens > 0 and not self.truncated and not self.unknown_tokens


class Encoder(Protocol):
    """Text to vector."""

    @property
    def dim(self) -> int:
        """Length of the vectors."""
        ...

    @property
    def identity(self) -> str:
        """Names model and build; vectors of different identities must not be compared."""
        ...

    @property
    def task_identity(self) -> str | None:
        """Names the task layers, whose vectors are for their own heads only; None: it has none."""
        ...

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        """One text, one pass; `tasks` runs the task layers, too. Raises ModelError when the runtime fails."""
        ...

    def encode_many(self, texts: Sequence[str]) -> list[Encoding]:
        """Several texts, batched; for set-up and evaluation."""
        ...


class Classifier(Protocol):
    """Encoding to calibrated label scores."""

    @property
    def labels(self) -> Sequence[str]:
        """Every label it can give."""
        ...

    @property
    def reads_tasks(self) -> bool:
        """True when it reads what the task layers say, and not the encoder's own vector."""
        ...

    def scores(self, encoding: Encoding) -> Mapping[str, float]:
        """A score in [0, 1] for every label; what they lack to one is the chance of none of them.

        Empty when the encoding lacks what it reads.
        """
        ...


class QualityModel(Protocol):
    """Text and encoding to the expected quality of each model's answer."""

    @property
    def models(self) -> Sequence[str]:
        """Every model it knows."""
        ...

    @property
    def reads_tasks(self) -> bool:
        """True when it reads what the task layers say, too."""
        ...

    @property
    def answer_tokens(self) -> Mapping[str, float]:
        """The expected length of an answer, by model."""
        ...

    def qualities(self, text: str, encoding: Encoding) -> Mapping[str, float]:
        """The expected score in [0, 1] of each model; empty when the encoding lacks what it reads."""
        ...


class Screen(Protocol):
    """Tells cheaply which texts a classifier need not read."""

    def suspicions(self, texts: Sequence[str]) -> Sequence[float]:
        """One number for each text, the higher the likelier that it is something; below 0 it is nothing."""
        ...


class TokenCounter(Protocol):
    """Counts tokens as one model does; blocks (called in the inference executor)."""

    def count(self, text: str) -> int:
        """How many tokens the text has, without special ones."""
        ...


class Classifiers(Protocol):
    """Where classifiers come from; opened at start, all for one encoder."""

    def trained(self, model: str, *, where: str) -> Classifier:
        """A shipped head by its name, or one from a folder; `where` is its YAML path.

        Raises:
            ConfigError: there is none, it is damaged, or it reads another encoder's vectors.
        """
        ...

    def screen(self, model: str, *, where: str) -> Screen:
        """The screen of a shipped head; `where` is the YAML path.

        Raises:
            ConfigError: the head has none, or it is damaged.
        """
        ...

    def token_counter(self, file: str, *, where: str) -> TokenCounter:
        """The counter of a `tokenizer.json`; `where` is its YAML path.

        Raises:
            ConfigError: there is no such file, or it is none.
        """
        ...

    def quality(self, folder: str, *, where: str) -> QualityModel:
        """The expected quality of models, from a folder of `train selection`; `where` is its YAML path.

        Raises:
            ConfigError: there is none, it is damaged, or it reads another encoder's vectors.
        """
        ...

    def require_tasks(self, *, where: str) -> None:
        """Raise ConfigError without task layers; `where` is the YAML path of who needs them."""
        ...

    def by_examples(self, examples: Mapping[str, Sequence[str]]) -> Classifier:
        """A classifier of labels that are given as example prompts: which of them, or none, it is."""
        ...

    def nearest(self, examples: Mapping[str, Sequence[str]]) -> Classifier:
        """Scores each label by the cosine to the nearest of its example prompts."""
        ...


class Inference(Protocol):
    """Where blocking model calls run: off the event loop, bounded."""

    async def run(self, job: Callable[[], ResultT], *, timeout_s: float) -> ResultT:
        """The job's result; what the job raises passes through.

        A cancelled or late job that has not started never starts; one that runs ends by itself and
        its result is dropped.

        Raises:
            StageTimeout: no result within timeout_s.
            StageError: too many jobs wait already; nothing was queued.
        """
        ...

    def others_wait(self) -> bool:
        """True while more jobs are here than can run; callable from every thread, jobs among them."""
        ...


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verifier says of one candidate."""

    accepted: bool
    #: Estimated chance in [0, 1] that the stored answer is right for the asked question.
    score: float
    #: A short word for metrics and `explain`: "ok", "numbers", "negation", ...
    reason: str
    #: A net read the pair, which takes milliseconds; what refuses before it takes a fraction of one.
    inferred: bool = False


class Verifier(Protocol):
    """Compares two questions; pure, bounded in time, blocks (called in the inference executor)."""

    def verify(self, cached: str, asked: str, similarity: float) -> Verdict:
        """The verdict on reusing the answer to `cached` for `asked`."""
        ...
