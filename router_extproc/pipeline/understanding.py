"""Understanding a request: every signal's reading, from one encoder pass at most.

It is not routing. The rule it keeps: the prompt is encoded once, off the event loop, and that one
encoding serves every signal and the cache; when it fails, the signals that need it read nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from router_extproc.clock import Budget
from router_extproc.llm.request import InferenceRequest
from router_extproc.models.base import Encoder, Encoding, Inference
from router_extproc.pipeline.decision import StageNote
from router_extproc.pipeline.stages import run_stage
from router_extproc.signals.base import Reading, Signal, Subject

STAGE = "signals"


@dataclass(frozen=True, slots=True)
class Understanding:
    """What is known of a request."""

    readings: Mapping[str, Reading]
    #: None: nobody needed it, there was no text, or the stage failed.
    encoding: Encoding | None
    #: None: no inference was needed.
    note: StageNote | None


class Understander:
    """Reads the signals; owns no resources."""

    def __init__(
        self, *, signals: Sequence[Signal], encoder: Encoder, inference: Inference, timeout_s: float
    ) -> None:
        self._by_text = tuple(signal for signal in signals if not signal.needs_encoding)
        self._by_meaning = tuple(signal for signal in signals if signal.needs_encoding)
        self._encoder = encoder
        self._inference = inference
        self._timeout_s = timeout_s

    async def understand(
        self, request: InferenceRequest, headers: Mapping[str, str], budget: Budget, *, encode: bool
    ) -> Understanding:
        """Every signal's reading; `encode` asks for the encoding even when no signal needs it."""
        subject = Subject(request, headers, None)
        readings = {signal.name: signal.read(subject) for signal in self._by_text}
        if not request.prompt or not (encode or self._by_meaning):
            return Understanding({**readings, **self._read_meaning(subject)}, None, None)
        return await self._infer(subject, readings, budget)

    async def encode_only(self, request: InferenceRequest, budget: Budget) -> Understanding:
        """The encoding for the cache, without any reading: the model is already chosen."""
        if not request.prompt:
            return Understanding({}, None, None)
        work = self._inference.run(lambda: self._encoder.encode(request.prompt), timeout_s=self._timeout_s)
        result = await run_stage(STAGE, work, budget.part(self._timeout_s))
        return Understanding({}, result.value, result.note)

    async def _infer(
        self, subject: Subject, readings: Mapping[str, Reading], budget: Budget
    ) -> Understanding:
        def job() -> tuple[Encoding, dict[str, Reading]]:
            encoding = self._encoder.encode(subject.request.prompt)
            known = Subject(subject.request, subject.headers, encoding)
            return encoding, self._read_meaning(known)

        work = self._inference.run(job, timeout_s=self._timeout_s)
        result = await run_stage(STAGE, work, budget.part(self._timeout_s))
        encoding, meanings = result.value or (None, self._read_meaning(subject))
        return Understanding({**readings, **meanings}, encoding, result.note)

    def _read_meaning(self, subject: Subject) -> dict[str, Reading]:
        return {signal.name: signal.read(subject) for signal in self._by_meaning}
