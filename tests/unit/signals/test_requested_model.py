"""The requested model signal gives the name that the client wrote."""

from __future__ import annotations

from dataclasses import replace

from router_extproc.signals.base import Reading
from router_extproc.signals.requested_model import RequestedModelSignal
from router_extproc.testing.subjects import subject_of


def read(model: str) -> Reading:
    subject = subject_of("hi")
    return RequestedModelSignal("asked").read(replace(subject, request=replace(subject.request, model=model)))


def test_the_name_is_the_label() -> None:
    assert read("auto-fast") == Reading("asked", "auto-fast", 1.0)


def test_a_name_that_is_too_long_is_no_label() -> None:
    assert read("x" * 1_000_000).label is None
