"""The contract of a signal: what every one of them must keep, whatever it measures.

Call `check_signal` from a test with a subject that the signal finds something in; the first rule that is
broken raises AssertionError with its sentence.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Final

from router_extproc.llm.ask import Ask
from router_extproc.llm.request import Turn
from router_extproc.models.base import Encoder, Encoding
from router_extproc.signals.base import PartsSignal, Reading, Signal, Subject
from router_extproc.testing.fake_encoder import FakeEncoder

#: A reading may take this long on the hardest text, inference aside; generous, for slow machines.
READ_S_MAX: Final = 2.0
_HARD_TEXTS: Final = (
    "",
    " \n\t",
    "\x00\x01\x1b[31m",
    "\ud800 alone \udfff",
    "\U0001f600" * 100,
    "a" + "\u0301\u0316" * 50_000,
    "word " * 200_000,
    "x" * 1_000_000,
    "مرحبا 你好 привет 🙂",
)


def check_signal(signal: Signal, finds: Subject, *, encoder: Encoder | None = None) -> None:
    """Raises AssertionError on the first rule that `signal` breaks; `finds` has what it looks for.

    encoder: the one that made the encoding in `finds`; default: FakeEncoder().
    """
    _finds_what_is_there(signal, finds)
    _says_the_same_twice(signal, finds)
    _says_nothing_without_a_needed_encoding(signal, finds)
    _reads_any_text(signal, finds, encoder or FakeEncoder())
    if isinstance(signal, PartsSignal):
        _reads_any_parts(signal, finds, encoder or FakeEncoder())


def _finds_what_is_there(signal: Signal, finds: Subject) -> None:
    reading = signal.read(finds)
    _require(reading.label is not None, "a signal must find what the sample holds")
    _is_well_formed(signal, reading)


def _says_the_same_twice(signal: Signal, finds: Subject) -> None:
    _require(signal.read(finds) == signal.read(finds), "the same subject must give the same reading")


def _says_nothing_without_a_needed_encoding(signal: Signal, finds: Subject) -> None:
    if signal.needs_encoding:
        reading = signal.read(replace(finds, encoding=None))
        _require((reading.label, reading.score) == (None, 0.0), "without its encoding it must find nothing")


def _reads_any_text(signal: Signal, finds: Subject, encoder: Encoder) -> None:
    for text in _HARD_TEXTS:
        request = replace(finds.request, prompt=text, system=text)
        subject = Subject(request, {"x-any": text[:1000]}, encoder.encode(text), Ask(text))
        started = time.perf_counter()
        reading = signal.read(subject)
        _require(time.perf_counter() - started < READ_S_MAX, f"{len(text)} characters took too long")
        _is_well_formed(signal, reading)


def _reads_any_parts(signal: PartsSignal, finds: Subject, encoder: Encoder) -> None:
    def encode(text: str, *, tasks: bool) -> Encoding | None:
        return encoder.encode(text, tasks=tasks)

    for text in _HARD_TEXTS:
        turns = (Turn("user", text), Turn("assistant", text), Turn("tool", text))
        request = replace(finds.request, prompt=text, history=turns, later=turns)
        subject = Subject(request, {}, encoder.encode(text), Ask(text))
        started = time.perf_counter()
        reading = signal.read_parts(subject, encode)
        _require(time.perf_counter() - started < READ_S_MAX, f"{len(text)} characters took too long")
        _is_well_formed(signal, reading)
        _require(reading.left_chars >= 0, "what was left unread cannot be negative")
        _require(not reading.late, "a signal that may encode everything is never late")


def _is_well_formed(signal: Signal, reading: Reading) -> None:
    _require(reading.name == signal.name, "a reading must carry the name of its signal")
    _require(0.0 <= reading.score <= 1.0, "a score must be in [0, 1]")
    _require(all(0.0 <= score <= 1.0 for score in reading.scores.values()), "every score must be in [0, 1]")


def _require(kept: object, rule: str) -> None:
    if not kept:
        raise AssertionError(rule)
