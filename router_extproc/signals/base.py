"""What a signal is: it measures one fact of a request and returns a reading.

To add one: a file here with its settings (`SignalSettings`) and a class that fits `Signal`, and one line in
`__init__.py`; `testing.check_signal` is its contract.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol, TypeAlias, runtime_checkable

from router_extproc.errors import ConfigError
from router_extproc.llm.ask import Ask
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Classifiers, Encoding
from router_extproc.section import Section

#: A part of the request: what a human asked last, the turns before it, or what tools returned.
Part: TypeAlias = Literal["ask", "history", "tools"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What a signal may look at."""

    request: InferenceRequest
    #: Names in lower case; values decoded as UTF-8 with replacement.
    headers: Mapping[str, str]
    #: Of `ask.topic`. None when no signal asked for it, or when inference failed or ran out of budget.
    encoding: Encoding | None
    ask: Ask
    #: When the request came, in seconds since the Unix epoch.
    asked_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Reading:
    """A signal's result."""

    #: The signal's name in the configuration.
    name: str
    #: What was found; None: nothing (no keyword, score under min_score, header absent).
    label: str | None
    #: In [0, 1].
    score: float
    #: All scores by label, where the signal ranks several.
    scores: Mapping[str, float] = field(default_factory=dict)
    #: The part of the request that it is about, where a signal reads several.
    part: Part | None = None
    #: What was found beside `label`, by a signal that may find several at once: rules ask for these like it.
    also: tuple[str, ...] = ()
    #: Characters of the parts that were beyond the signal's bounds, or beyond its time.
    left_chars: int = 0
    #: It ran out of time: a label that is missing may yet be there.
    late: bool = False
    #: Expected tokens of an answer by label, where labels are models.
    answer_tokens: Mapping[str, float] = field(default_factory=dict)


class Signal(Protocol):
    """Measures one fact; pure, bounded in time, never raises on any text."""

    @property
    def name(self) -> str:
        """The name in the configuration, unique there."""
        ...

    @property
    def needs_encoding(self) -> bool:
        """True when it can say nothing without the encoder pass; it then runs in the executor."""
        ...

    @property
    def needs_tasks(self) -> bool:
        """True when the task layers have to run for it, too."""
        ...

    def read(self, subject: Subject) -> Reading:
        """The reading; without a needed encoding, a Reading with label None and score 0."""
        ...


class EncodeText(Protocol):
    """Encodes one more text of a request."""

    def __call__(self, text: str, *, tasks: bool) -> Encoding | None:
        """The encoding; None: the time for it is over. Raises ModelError when the runtime fails."""
        ...


@runtime_checkable
class PartsSignal(Signal, Protocol):
    """A signal that reads more of a request than its ask: in the executor, after the others."""

    def read_parts(self, subject: Subject, encode: EncodeText) -> Reading:
        """The reading of everything; `read` gives what can be said without further passes."""
        ...


class SignalSettings(Section, ABC):
    """A signal's section of the configuration: what it says, what is wrong with it, how it is opened."""

    #: Fields that may name a file; relative ones are beside the configuration.
    path_fields: ClassVar[tuple[str, ...]] = ()

    #: The registry name; every kind narrows it to its own.
    type: str

    @property
    def needs_encoder(self) -> bool:
        """True when its signals need the encoder."""
        return False

    def problems(self, path: str) -> Iterator[ConfigError]:
        """What no single field can tell; `path` is the section's YAML path."""
        del path
        yield from ()

    def labels(self) -> Sequence[str] | None:
        """Every label that the signal can give; None: any text, or not known before it is opened."""
        return None

    @property
    def finds_several(self) -> bool:
        """True when a reading may have labels beside the best one."""
        return False

    @property
    def ranks_labels(self) -> bool:
        """True when a reading may have the scores of labels that were not found."""
        return False

    @property
    def reads_texts(self) -> bool:
        """False when its readings hang on no text: they are whole where what is asked cannot be read."""
        return True

    @property
    def in_key(self) -> bool:
        """True when a reading hangs on more than the request's body: a header, the time.

        It is then part of the cache's keys, so that equal requests get equal decisions. Such a signal needs
        no encoder.
        """
        return False

    @abstractmethod
    def open(self, name: str, classifiers: Classifiers) -> Signal:
        """The signal under its name in the configuration.

        Raises:
            ConfigError: something that it needs is missing or damaged.
        """
        ...
