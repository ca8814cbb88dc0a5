"""Every registered signal keeps the contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from router_extproc.models.examples import ExampleClassifier
from router_extproc.signals import SIGNALS
from router_extproc.signals.base import Signal, Subject
from router_extproc.signals.context_length import ContextLengthSignal
from router_extproc.signals.header import HeaderSignal
from router_extproc.signals.intent import IntentSignal
from router_extproc.signals.keywords import KeywordsSignal
from router_extproc.testing.check_signal import check_signal
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.subjects import subject_of

Sample = tuple[Signal, Subject]


def intent() -> Sample:
    encoder = FakeEncoder()
    examples = {"refund": ("give my money back",), "weather": ("will it rain today",)}
    signal = IntentSignal("topic", ExampleClassifier.of(examples, encoder))
    return signal, subject_of("please give my money back", encoder=encoder)


def keywords() -> Sample:
    return KeywordsSignal("urgent", ("asap",)), subject_of("I need it ASAP!")


def context_length() -> Sample:
    return ContextLengthSignal("long", min_tokens=5), subject_of("one two three four five six")


def header() -> Sample:
    return HeaderSignal("team", "X-Team"), subject_of("hi", headers={"x-team": "search"})


SAMPLE_OF: Mapping[str, Callable[[], Sample]] = {
    "intent": intent,
    "keywords": keywords,
    "context_length": context_length,
    "header": header,
}


@pytest.mark.parametrize("name", SIGNALS)
def test_signal_keeps_the_contract(name: str) -> None:
    signal, subject = SAMPLE_OF[name]()
    assert isinstance(signal, SIGNALS[name])
    check_signal(signal, subject)
