"""The PII signal says which kind is there, never what."""

from __future__ import annotations

from router_extproc.routing.rules import read_rule
from router_extproc.signals.base import Reading
from router_extproc.signals.pii.signal import PiiSettings, PiiSignal
from router_extproc.testing.subjects import subject_of

PROMPT = "call +1 415 555 2671 or write to jo@example.org"


def test_label_is_the_first_kind_in_the_order_given() -> None:
    first = PiiSignal("pii", ["PHONE_NUMBER", "EMAIL_ADDRESS"]).read(subject_of(PROMPT))
    scores = {"PHONE_NUMBER": 1.0, "EMAIL_ADDRESS": 1.0}
    assert first == Reading("pii", "PHONE_NUMBER", 1.0, scores, also=("EMAIL_ADDRESS",))
    assert (
        PiiSignal("pii", ["EMAIL_ADDRESS", "PHONE_NUMBER"]).read(subject_of(PROMPT)).label == "EMAIL_ADDRESS"
    )


def test_a_rule_for_any_kind_that_is_there_holds() -> None:
    """A rule for addresses must not be passed by writing a phone number beside one."""
    readings = {"pii": PiiSignal("pii").read(subject_of(PROMPT))}
    for kind in ("PHONE_NUMBER", "EMAIL_ADDRESS"):
        assert read_rule({"pii": kind}).holds(readings)
    assert not read_rule({"pii": "CREDIT_CARD"}).holds(readings)


def test_kinds_that_were_not_asked_for_are_not_told() -> None:
    assert PiiSignal("pii", ["CREDIT_CARD"]).read(subject_of(PROMPT)) == Reading("pii", None, 0.0)


def test_clean_prompt_reads_as_nothing() -> None:
    assert PiiSignal("pii").read(subject_of("Solve 3x + 5 = 20")) == Reading("pii", None, 0.0)


def test_unknown_kind_is_refused_with_its_place() -> None:
    settings = PiiSettings(type="pii", kinds=("EMAIL_ADDRESS", "CREDITCARD"))
    (problem,) = settings.problems("signals.p")
    assert str(problem) == "signals.p.kinds[1]: no kind named 'CREDITCARD' (did you mean 'CREDIT_CARD'?)"
