"""Personal facts are found in the parts that were chosen, whatever the encoder has time for."""

from __future__ import annotations

from dataclasses import replace

from router_extproc.llm.request import Turn
from router_extproc.models.base import Encoding, NameSpan, TaskReading
from router_extproc.signals.base import Part, PartsSignal, Reading, Subject
from router_extproc.signals.pii.patterns import EDGE_CHARS_MAX
from router_extproc.signals.pii.signal import PiiPartsSignal, PiiSettings
from router_extproc.testing.fake_encoder import FakeEncoder
from router_extproc.testing.subjects import subject_of

ALL: tuple[Part, ...] = ("ask", "history", "tools")
MAIL = "write to jo@example.org"


def talk(*, tool: str = "", history: str = "", prompt: str = "What is new?") -> Subject:
    subject = subject_of(prompt, history=[Turn("user", history)])
    return replace(subject, request=replace(subject.request, later=(Turn("tool", tool),)))


def names(text: str, *, tasks: bool) -> Encoding | None:
    """Finds a person where "Ada" is. Fits signals.base.EncodeText."""
    assert tasks
    start = text.find("Ada")
    spans = [NameSpan(start, start + 3, "PERSON", 0.99)] if start >= 0 else []
    encoding = FakeEncoder().encode(text)
    return replace(encoding, tasks=TaskReading(encoding.vector, spans))


def no_time(text: str, *, tasks: bool) -> None:
    """Fits signals.base.EncodeText."""
    del text, tasks


def test_the_part_is_that_of_the_first_kind_in_the_order_given() -> None:
    signal = PiiPartsSignal("pii", ["PERSON", "EMAIL_ADDRESS"], ALL)
    reading = signal.read_parts(talk(tool=MAIL, history="I am Ada"), names)
    assert reading == Reading(
        "pii", "PERSON", 0.99, {"PERSON": 0.99, "EMAIL_ADDRESS": 1.0}, "history", also=("EMAIL_ADDRESS",)
    )


def test_only_the_chosen_parts_are_read() -> None:
    signal = PiiPartsSignal("pii", ["EMAIL_ADDRESS"], ("tools",))
    assert signal.read_parts(talk(prompt=MAIL, history=MAIL), no_time).label is None


def test_kinds_of_fixed_form_need_no_time() -> None:
    reading = PiiPartsSignal("pii", ["PERSON", "EMAIL_ADDRESS"], ALL).read_parts(
        talk(tool=f"{MAIL}, Ada"), no_time
    )
    assert (reading.label, reading.part, reading.late) == ("EMAIL_ADDRESS", "tools", True)


def test_without_the_executor_kinds_of_fixed_form_are_found_in_every_part() -> None:
    assert PiiPartsSignal("pii", ["EMAIL_ADDRESS"], ALL).read(talk(history=MAIL)).part == "history"


def test_the_middle_of_a_long_tool_result_is_read() -> None:
    long = "word " * EDGE_CHARS_MAX
    subject = talk(tool=f"{long[: 2 * EDGE_CHARS_MAX]} {MAIL} {long[: 2 * EDGE_CHARS_MAX]}")
    assert PiiPartsSignal("pii", ["EMAIL_ADDRESS"], ALL).read_parts(subject, no_time).label == "EMAIL_ADDRESS"


def test_a_fact_on_the_border_of_two_pieces_is_found() -> None:
    signal = PiiPartsSignal("pii", ["IBAN_CODE"], ("tools",))
    account = "DE89 3704 0044 0532 0130 00"
    for offset in range(0, 40, 4):
        padding = "x " * ((EDGE_CHARS_MAX - offset) // 2)
        subject = talk(tool=f"{padding}{account} {padding}")
        assert signal.read_parts(subject, no_time).label == "IBAN_CODE", offset


def test_a_section_without_parts_stays_on_the_event_loop() -> None:
    """Patterns over the ask alone are quicker than the way to the executor."""
    plain = PiiSettings(type="pii", kinds=("EMAIL_ADDRESS",)).open("pii", classifiers=None)  # type: ignore[arg-type] - no name is asked for
    parts = PiiSettings(type="pii", kinds=("EMAIL_ADDRESS",), parts=("tools",)).open("pii", classifiers=None)  # type: ignore[arg-type] - as above
    assert (isinstance(plain, PartsSignal), isinstance(parts, PartsSignal)) == (False, True)
