"""The signal stage: the reading of every signal, from one encoder pass over the ask.

The cache compares last user messages. Where that is another text than the ask (an ask that leans on earlier
turns), it is encoded beside it, in the same turn of the executor. Signals that read more of a request than
its ask come last, and encode further texts only while the stage has time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final

from router_extproc.clock import Budget, Clock
from router_extproc.models.base import Encoder, Encoding, Inference
from router_extproc.pipeline.decision import StageNote
from router_extproc.pipeline.stages import run_stage
from router_extproc.signals.base import PartsSignal, Reading, Signal, Subject

STAGE = "signals"
#: Kept free at the end of the stage's time: what was read must still be answered.
ANSWER_S: Final = 0.01


@dataclass(frozen=True, slots=True)
class SignalReadings:
    """The readings of one request, and the encoding of its prompt."""

    readings: Mapping[str, Reading]
    #: Of the last user message, for the cache. None: not needed, no text, or the stage failed.
    encoding: Encoding | None
    #: None: no inference was needed.
    note: StageNote | None
    #: Signals whose reading failed, or ran out of time before it found anything.
    unread: frozenset[str] = frozenset()
    #: Seconds that each signal took by itself, without the encoder pass that they share.
    took_s: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Read:
    """What some signals have found."""

    readings: Mapping[str, Reading]
    took_s: Mapping[str, float]


class SignalStage:
    """Reads the signals; owns no resources."""

    def __init__(
        self,
        *,
        signals: Sequence[Signal],
        encoder: Encoder | None,
        inference: Inference,
        timeout_s: float,
        of_texts: AbstractSet[str] = frozenset(),
    ) -> None:
        """`encoder` may be None when no signal needs it and the cache is off; `of_texts`: signals by name."""
        self._of_texts = frozenset(of_texts)
        self._plain = tuple(signal for signal in signals if not runs_in_executor(signal))
        self._inferred = tuple(signal for signal in signals if runs_in_executor(signal))
        self._encoder = encoder
        self._inference = inference
        self._timeout_s = timeout_s

    async def read(
        self, subject: Subject, budget: Budget, *, encode: bool, only: AbstractSet[str] | None = None
    ) -> SignalReadings:
        """Every signal's reading; `encode` asks for the prompt's encoding even when no signal needs one.

        only: names of the signals that are read; None: all of them.
        """
        plain = _read(_among(self._plain, only), subject, budget.clock)
        read = await self._infer(subject, _among(self._inferred, only), budget, plain, encode=encode)
        if not subject.request.is_coded:
            return read
        # What was found in its texts counts; that nothing was found says nothing.
        blind = {name for name, reading in read.readings.items() if reading.label is None} & self._of_texts
        return replace(read, unread=read.unread | blind)

    async def _infer(
        self, subject: Subject, signals: Sequence[Signal], budget: Budget, known: _Read, *, encode: bool
    ) -> SignalReadings:
        """The readings that are known, and those of these signals after the encoder passes they need."""
        clock, part = budget.clock, budget.part(self._timeout_s)
        job = _Job.of(subject, signals, Passes(self._encoder, part), encode=encode)
        if job is None:
            return _joined(known, _read(signals, subject, clock))
        work = self._inference.run(job.run, timeout_s=self._timeout_s)
        result = await run_stage(STAGE, work, part)
        if result.value is None:
            unread = frozenset(signal.name for signal in signals)
            return replace(_joined(known, _read(signals, subject, clock)), note=result.note, unread=unread)
        encoding, read = result.value
        return replace(_joined(known, read), encoding=encoding, note=result.note, unread=_cut_short(read))


class Passes:
    """The encoder passes over the texts of one request: each text once, further ones while there is time."""

    def __init__(self, encoder: Encoder | None, budget: Budget) -> None:
        self._encoder: Final = encoder
        self._budget: Final = budget
        self._encodings: Final[dict[str, Encoding]] = {}
        self._longest_s = 0.0

    @property
    def clock(self) -> Clock:
        """Whose time it is."""
        return self._budget.clock

    @property
    def has_encoder(self) -> bool:
        """False: there is none."""
        return self._encoder is not None

    def needed(self, text: str, *, tasks: bool = False) -> Encoding | None:
        """The encoding of a text that is needed whatever it takes; None: no text, or no encoder."""
        known = self._encodings.get(text)
        if known is not None and (known.tasks is not None or not tasks):
            return known
        if self._encoder is None or not text:
            return None
        clock = self._budget.clock
        started_s = clock.monotonic_s()
        encoding = self._encodings[text] = self._encoder.encode(text, tasks=tasks)
        self._longest_s = max(self._longest_s, clock.monotonic_s() - started_s)
        return encoding

    def further(self, text: str, *, tasks: bool) -> Encoding | None:
        """See signals.base.EncodeText; the time is over when a pass as long as the longest would be late."""
        if text not in self._encodings and self._budget.left_s() <= self._longest_s + ANSWER_S:
            return None
        return self.needed(text, tasks=tasks)


@dataclass(frozen=True, slots=True)
class _Job:
    """What the executor does for one request."""

    subject: Subject
    #: Those that look at the encoding of the ask, and those that ask for further ones.
    of_the_ask: Sequence[Signal]
    of_parts: Sequence[PartsSignal]
    passes: Passes
    encode: bool

    @classmethod
    def of(cls, subject: Subject, signals: Sequence[Signal], passes: Passes, *, encode: bool) -> _Job | None:
        """None: nothing of it needs the executor."""
        of_parts = [signal for signal in signals if isinstance(signal, PartsSignal)]
        of_the_ask = [signal for signal in signals if not isinstance(signal, PartsSignal)]
        asks = bool(signals and subject.ask.topic) or (encode and bool(subject.request.prompt))
        if not of_parts and not (asks and passes.has_encoder):
            return None
        return cls(subject, of_the_ask, of_parts, passes, encode)

    def run(self) -> tuple[Encoding | None, _Read]:
        """The encoding of the prompt, where it was asked for, and the readings."""
        readers = [signal for signal in (*self.of_the_ask, *self.of_parts) if wants_encoding(signal)]
        tasks = any(signal.needs_tasks for signal in readers)
        encoding = self.passes.needed(self.subject.ask.topic, tasks=tasks) if readers else None
        of_the_prompt = self.passes.needed(self.subject.request.prompt) if self.encode else None
        subject, clock = replace(self.subject, encoding=encoding), self.passes.clock
        read = _read(self.of_the_ask, subject, clock)
        return of_the_prompt, _both(read, _read_parts(self.of_parts, subject, self.passes))


def runs_in_executor(signal: Signal) -> bool:
    """True for signals that need the encoder, or read so much that the event loop must not wait for it."""
    return wants_encoding(signal) or isinstance(signal, PartsSignal)


def wants_encoding(signal: Signal) -> bool:
    """True for signals that are read after the encoder pass; some find a part of theirs without it."""
    return signal.needs_encoding or signal.needs_tasks


def _among(signals: Sequence[Signal], only: AbstractSet[str] | None) -> Sequence[Signal]:
    return signals if only is None else [signal for signal in signals if signal.name in only]


def _read(signals: Sequence[Signal], subject: Subject, clock: Clock) -> _Read:
    return _timed([(signal.name, partial(signal.read, subject)) for signal in signals], clock)


def _read_parts(signals: Sequence[PartsSignal], subject: Subject, passes: Passes) -> _Read:
    jobs = [(signal.name, partial(signal.read_parts, subject, passes.further)) for signal in signals]
    return _timed(jobs, passes.clock)


def _timed(jobs: Sequence[tuple[str, Callable[[], Reading]]], clock: Clock) -> _Read:
    readings: dict[str, Reading] = {}
    took_s: dict[str, float] = {}
    before_s = clock.monotonic_s()
    for name, job in jobs:
        readings[name] = job()
        now_s = clock.monotonic_s()
        took_s[name], before_s = now_s - before_s, now_s
    return _Read(readings, took_s)


def _cut_short(read: _Read) -> frozenset[str]:
    """The signals that ran out of time before they found anything."""
    return frozenset(
        name for name, reading in read.readings.items() if reading.late and reading.label is None
    )


def _both(one: _Read, other: _Read) -> _Read:
    return _Read({**one.readings, **other.readings}, {**one.took_s, **other.took_s})


def _joined(one: _Read, other: _Read) -> SignalReadings:
    both = _both(one, other)
    return SignalReadings(both.readings, None, None, took_s=both.took_s)
