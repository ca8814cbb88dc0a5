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
    """The readings of one request, and its encoding."""

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
        self._plain = tuple(signal for signal in signals if not wants_encoding(signal))
        self._encoded = tuple(signal for signal in signals if wants_encoding(signal))
        self._encoder = encoder
        self._inference = inference
        self._timeout_s = timeout_s

    async def read(
        self, request: InferenceRequest, headers: Mapping[str, str], budget: Budget, *, encode: bool
    ) -> SignalReadings:
        """Every signal's reading; `encode` asks for the encoding even when no signal needs it."""
        subject = Subject(request, headers, None)
        readings = _read(self._plain, subject)
        return await self._infer(subject, self._encoded, budget, readings, encode=encode)

    async def encode_only(self, request: InferenceRequest, budget: Budget) -> SignalReadings:
        """The encoding for the cache, without any reading: the model is already chosen."""
        return await self._infer(Subject(request, {}, None), (), budget, {}, encode=True)

    async def _infer(
        self,
        subject: Subject,
        signals: Sequence[Signal],
        budget: Budget,
        known: Mapping[str, Reading],
        *,
        encode: bool,
    ) -> SignalReadings:
        """The readings that are known, and those of these signals after one encoder pass."""
        encoder, prompt = self._encoder, subject.request.prompt
        if encoder is None or not prompt or not (encode or signals):
            return SignalReadings({**known, **_read(signals, subject)}, None, None)
        tasks = any(signal.needs_tasks for signal in signals)

        def job() -> tuple[Encoding, dict[str, Reading]]:
            encoding = encoder.encode(prompt, tasks=tasks)
            return encoding, _read(signals, replace(subject, encoding=encoding))

        work = self._inference.run(job, timeout_s=self._timeout_s)
        result = await run_stage(STAGE, work, budget.part(self._timeout_s))
        if result.value is None:
            unread = frozenset(signal.name for signal in signals)
            return SignalReadings({**known, **_read(signals, subject)}, None, result.note, unread)
        encoding, readings = result.value
        return SignalReadings({**known, **readings}, encoding, result.note)


def wants_encoding(signal: Signal) -> bool:
    """True for signals that are read after the encoder pass; some find a part of theirs without it."""
    return signal.needs_encoding or signal.needs_tasks


def _read(signals: Sequence[Signal], subject: Subject) -> dict[str, Reading]:
    return {signal.name: signal.read(subject) for signal in signals}
