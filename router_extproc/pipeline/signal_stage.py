"""The signal stage: the reading of every signal, from one encoder pass at most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from router_extproc.clock import Budget
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Encoder, Encoding, Inference
from router_extproc.pipeline.decision import StageNote
from router_extproc.pipeline.stages import run_stage
from router_extproc.signals.base import Reading, Signal, Subject

STAGE = "signals"


@dataclass(frozen=True, slots=True)
class SignalReadings:
    """What is known of a request."""

    readings: Mapping[str, Reading]
    #: None: nobody needed it, there was no text, or the stage failed.
    encoding: Encoding | None
    #: None: no inference was needed.
    note: StageNote | None
    #: Signals whose reading failed: they have found only what needs no inference.
    unread: frozenset[str] = frozenset()


class SignalStage:
    """Reads the signals; owns no resources."""

    def __init__(
        self, *, signals: Sequence[Signal], encoder: Encoder | None, inference: Inference, timeout_s: float
    ) -> None:
        """`encoder` may be None when no signal needs it and the cache is off."""
        self._by_text = tuple(signal for signal in signals if not wants_encoding(signal))
        self._by_meaning = tuple(signal for signal in signals if wants_encoding(signal))
        self._encoder = encoder
        self._inference = inference
        self._timeout_s = timeout_s

    async def read(
        self, request: InferenceRequest, headers: Mapping[str, str], budget: Budget, *, encode: bool
    ) -> SignalReadings:
        """Every signal's reading; `encode` asks for the encoding even when no signal needs it."""
        subject = Subject(request, headers, None)
        readings = {signal.name: signal.read(subject) for signal in self._by_text}
        inferred = await self._infer(subject, self._by_meaning, budget, encode=encode)
        return replace(inferred, readings={**readings, **inferred.readings})

    async def encode_only(self, request: InferenceRequest, budget: Budget) -> SignalReadings:
        """The encoding for the cache, without any reading: the model is already chosen."""
        return await self._infer(Subject(request, {}, None), (), budget, encode=True)

    async def _infer(
        self, subject: Subject, signals: Sequence[Signal], budget: Budget, *, encode: bool
    ) -> SignalReadings:
        encoder = self._encoder
        if encoder is None or not subject.request.prompt or not (encode or signals):
            return SignalReadings(_read(signals, subject), None, None)

        tasks = any(signal.needs_tasks for signal in signals)

        def job() -> SignalReadings:
            encoding = encoder.encode(subject.request.prompt, tasks=tasks)
            return SignalReadings(_read(signals, replace(subject, encoding=encoding)), encoding, None)

        work = self._inference.run(job, timeout_s=self._timeout_s)
        result = await run_stage(STAGE, work, budget.part(self._timeout_s))
        understood = result.value or _without_inference(signals, subject)
        return replace(understood, note=result.note)


def wants_encoding(signal: Signal) -> bool:
    """True for signals that are read after the encoder pass; some find a part of theirs without it."""
    return signal.needs_encoding or signal.needs_tasks


def _without_inference(signals: Sequence[Signal], subject: Subject) -> SignalReadings:
    unread = frozenset(signal.name for signal in signals)
    return SignalReadings(_read(signals, subject), None, None, unread)


def _read(signals: Sequence[Signal], subject: Subject) -> dict[str, Reading]:
    return {signal.name: signal.read(subject) for signal in signals}
