"""The signal stage: which text is encoded for whom, and what each signal took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from router_extproc.clock import Budget
from router_extproc.llm.ask import Ask
from router_extproc.models.base import Encoding, ResultT
from router_extproc.pipeline.signal_stage import SignalReadings, SignalStage
from router_extproc.signals.base import EncodeText, Reading, Signal, Subject
from router_extproc.testing.clock import ManualClock
from router_extproc.testing.fake_encoder import FakeEncoder, RememberingEncoder
from router_extproc.testing.subjects import subject_of

pytestmark = pytest.mark.asyncio


class AtOnce:
    """Runs a job where it is asked for. Fits models.base.Inference."""

    async def run(self, job: Callable[[], ResultT], *, timeout_s: float) -> ResultT:
        del timeout_s
        return job()


class Slow:
    """A signal of the encoding whose reading takes two seconds."""

    name = "slow"
    needs_encoding = True
    needs_tasks = False

    def __init__(self, clock: ManualClock) -> None:
        self._clock = clock

    def read(self, subject: Subject) -> Reading:
        self._clock.advance(2.0)
        return Reading(self.name, None if subject.encoding is None else "read", 1.0)


async def read(subject: Subject, *, signals: bool, encode: bool) -> tuple[list[str], SignalReadings]:
    clock, encoder = ManualClock(), RememberingEncoder()
    slow = (Slow(clock),) if signals else ()
    stage = SignalStage(signals=slow, encoder=encoder, inference=AtOnce(), timeout_s=9.0)
    readings = await stage.read(subject, Budget.of(clock, 9.0), encode=encode)
    return encoder.texts, readings


def leaning() -> Subject:
    return replace(subject_of("why?"), ask=Ask("why?", ("Is the root of two a fraction?",)))


async def test_an_ask_that_is_the_prompt_is_encoded_once() -> None:
    texts, readings = await read(subject_of("Hello"), signals=True, encode=True)
    assert texts == ["Hello"]
    assert readings.encoding is not None


async def test_an_ask_that_leans_is_read_with_its_context_and_cached_without() -> None:
    texts, readings = await read(leaning(), signals=True, encode=True)
    assert texts == ["Is the root of two a fraction?\nwhy?", "why?"]
    assert readings.encoding is not None
    assert (readings.encoding.vector == FakeEncoder().encode("why?").vector).all()


async def test_without_a_cache_only_the_ask_is_encoded() -> None:
    texts, _ = await read(leaning(), signals=True, encode=False)
    assert texts == ["Is the root of two a fraction?\nwhy?"]


async def test_without_signals_only_the_prompt_is_encoded() -> None:
    texts, _ = await read(leaning(), signals=False, encode=True)
    assert texts == ["why?"]


async def test_every_signal_tells_its_time() -> None:
    _, readings = await read(subject_of("Hello"), signals=True, encode=False)
    assert readings.took_s == {"slow": 2.0}


class Parts:
    """A signal that encodes further texts, with what it was given. Fits signals.base.PartsSignal."""

    name = "parts"
    needs_encoding = False
    needs_tasks = False

    def __init__(self, *texts: str, label: str | None = None) -> None:
        self._texts = texts
        self._label = label
        self.given: list[bool] = []

    def read(self, subject: Subject) -> Reading:  # noqa: ARG002 - the port
        return Reading(self.name, None, 0.0)

    def read_parts(self, subject: Subject, encode: EncodeText) -> Reading:  # noqa: ARG002 - the port
        self.given = [encode(text, tasks=False) is not None for text in self._texts]
        return Reading(self.name, self._label, 1.0, late=not all(self.given))


class SlowEncoder(RememberingEncoder):
    """Takes two seconds a pass."""

    def __init__(self, clock: ManualClock) -> None:
        super().__init__()
        self._clock = clock

    def encode(self, text: str, *, tasks: bool = False) -> Encoding:
        self._clock.advance(2.0)
        return super().encode(text, tasks=tasks)


async def read_parts(*signals: Signal, timeout_s: float = 9.0) -> tuple[list[str], SignalReadings]:
    clock = ManualClock()
    encoder = SlowEncoder(clock)
    stage = SignalStage(signals=signals, encoder=encoder, inference=AtOnce(), timeout_s=timeout_s)
    readings = await stage.read(subject_of("Hello"), Budget.of(clock, timeout_s), encode=False)
    return encoder.texts, readings


async def test_a_signal_of_parts_encodes_what_it_asks_for_and_the_ask_for_nobody() -> None:
    texts, readings = await read_parts(Parts("one", "two"))
    assert (texts, readings.unread) == (["one", "two"], frozenset())


async def test_a_text_that_two_signals_want_is_encoded_once() -> None:
    texts, _ = await read_parts(Slow(ManualClock()), Parts("Hello", "one"), Parts("one"))
    assert texts == ["Hello", "one"]


async def test_no_pass_begins_that_would_end_too_late() -> None:
    signal = Parts("one", "two", "three")
    texts, readings = await read_parts(signal, timeout_s=5.0)
    assert (texts, signal.given) == (["one", "two"], [True, True, False])
    assert readings.unread == {"parts"}


async def test_what_was_found_before_the_time_was_over_counts() -> None:
    """A decision that refuses what is unread must not hide the attack that was found."""
    _, readings = await read_parts(Parts("one", "two", "three", label="injection"), timeout_s=5.0)
    assert (readings.unread, readings.readings["parts"].label) == (frozenset(), "injection")


async def test_signals_of_the_ask_are_read_before_those_of_parts() -> None:
    """They need one pass; what parts take must not cost them their reading."""
    _, readings = await read_parts(Parts("one", "two", "three"), Slow(ManualClock()), timeout_s=5.0)
    assert readings.readings["slow"].label == "read"
    assert readings.unread == {"parts"}


async def test_without_an_encoder_parts_are_read_in_the_executor() -> None:
    clock, signal = ManualClock(), Parts("one")
    stage = SignalStage(signals=(signal,), encoder=None, inference=AtOnce(), timeout_s=1.0)
    readings = await stage.read(subject_of(""), Budget.of(clock, 1.0), encode=False)
    assert (signal.given, readings.note is not None) == ([False], True)


class Named(Slow):
    """A signal that reads names, which the task layers find."""

    needs_tasks = True


@pytest.mark.parametrize(("kind", "tasks"), [(Slow, False), (Named, True)])
async def test_the_task_layers_run_only_when_a_signal_reads_them(kind: type[Slow], *, tasks: bool) -> None:
    asked: list[bool] = []

    class Layered(FakeEncoder):
        def encode(self, text: str, *, tasks: bool = False) -> Encoding:
            asked.append(tasks)
            return super().encode(text, tasks=tasks)

    clock = ManualClock()
    stage = SignalStage(signals=[kind(clock)], encoder=Layered(), inference=AtOnce(), timeout_s=9.0)
    await stage.read(subject_of("Hello"), Budget.of(clock, 9.0), encode=True)
    assert asked == [tasks]
