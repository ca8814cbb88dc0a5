"""The signal stage: the reading of every signal, from one encoder pass over the ask.

The cache compares last user messages. Where that is another text than the ask (an ask that leans on earlier
turns), it is encoded beside it, in the same turn of the executor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from router_extproc.clock import Budget, Clock
from router_extproc.models.base import Encoder, Encoding, Inference
from router_extproc.pipeline.decision import StageNote
from router_extproc.pipeline.stages import run_stage
from router_extproc.signals.base import Reading, Signal, Subject

STAGE = "signals"


@dataclass(frozen=True, slots=True)
class SignalReadings:
    """The readings of one request, and the encoding of its prompt."""

    readings: Mapping[str, Reading]
    #: Of the last user message, for the cache. None: not needed, no text, or the stage failed.
    encoding: Encoding | None
    #: None: no inference was needed.
    note: StageNote | None
    #: Signals whose reading failed: they have found only what needs no inference.
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
        self, *, signals: Sequence[Signal], encoder: Encoder | None, inference: Inference, timeout_s: float
    ) -> None:
        """`encoder` may be None when no signal needs it and the cache is off."""
        self._plain = tuple(signal for signal in signals if not wants_encoding(signal))
        self._encoded = tuple(signal for signal in signals if wants_encoding(signal))
        self._encoder = encoder
        self._inference = inference
        self._timeout_s = timeout_s

    async def read(self, subject: Subject, budget: Budget, *, encode: bool) -> SignalReadings:
        """Every signal's reading; `encode` asks for the prompt's encoding even when no signal needs one."""
        plain = _read(self._plain, subject, budget.clock)
        return await self._infer(subject, self._encoded, budget, plain, encode=encode)

    async def encode_only(self, subject: Subject, budget: Budget) -> SignalReadings:
        """The encoding for the cache, without any reading: the model is already chosen."""
        return await self._infer(subject, (), budget, _Read({}, {}), encode=True)

    async def _infer(
        self, subject: Subject, signals: Sequence[Signal], budget: Budget, known: _Read, *, encode: bool
    ) -> SignalReadings:
        """The readings that are known, and those of these signals after one encoder pass."""
        encoder, clock = self._encoder, budget.clock
        wanted = signals if subject.ask.topic else ()
        if encoder is None or not (wanted or (encode and subject.request.prompt)):
            return _joined(known, _read(signals, subject, clock))
        tasks = any(signal.needs_tasks for signal in wanted)

        def job() -> tuple[Encoding | None, _Read]:
            texts = _Texts(encoder, subject)
            encoding = texts.of_the_ask(tasks=tasks) if wanted else None
            read = _read(signals, replace(subject, encoding=encoding), clock)
            return texts.of_the_prompt(encoding) if encode else None, read

        work = self._inference.run(job, timeout_s=self._timeout_s)
        result = await run_stage(STAGE, work, budget.part(self._timeout_s))
        if result.value is None:
            unread = frozenset(signal.name for signal in signals)
            return replace(_joined(known, _read(signals, subject, clock)), note=result.note, unread=unread)
        encoding, read = result.value
        return replace(_joined(known, read), encoding=encoding, note=result.note)


@dataclass(frozen=True, slots=True)
class _Texts:
    """The two texts of a request that are encoded, which are one in most requests."""

    encoder: Encoder
    subject: Subject

    def of_the_ask(self, *, tasks: bool) -> Encoding:
        return self.encoder.encode(self.subject.ask.topic, tasks=tasks)

    def of_the_prompt(self, of_the_ask: Encoding | None) -> Encoding | None:
        prompt = self.subject.request.prompt
        if of_the_ask is not None and prompt == self.subject.ask.topic:
            return of_the_ask
        return self.encoder.encode(prompt) if prompt else None


def wants_encoding(signal: Signal) -> bool:
    """True for signals that are read after the encoder pass; some find a part of theirs without it."""
    return signal.needs_encoding or signal.needs_tasks


def _read(signals: Sequence[Signal], subject: Subject, clock: Clock) -> _Read:
    readings: dict[str, Reading] = {}
    took_s: dict[str, float] = {}
    before_s = clock.monotonic_s()
    for signal in signals:
        readings[signal.name] = signal.read(subject)
        now_s = clock.monotonic_s()
        took_s[signal.name], before_s = now_s - before_s, now_s
    return _Read(readings, took_s)


def _joined(one: _Read, other: _Read) -> SignalReadings:
    return SignalReadings(
        {**one.readings, **other.readings}, None, None, took_s={**one.took_s, **other.took_s}
    )
