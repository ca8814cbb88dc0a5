"""Spans are hits only when start, end and kind agree."""

from __future__ import annotations

from pathlib import Path

import pytest

from router_extproc.errors import ConfigProblems
from router_extproc.evaluation.metrics import share
from router_extproc.evaluation.pii import PiiPrediction, judge_spans, read_spans
from router_extproc.evaluation.rows import Row
from router_extproc.signals.pii.patterns import Span

MAIL = Span(0, 14, "EMAIL_ADDRESS")
PHONE = Span(20, 32, "PHONE_NUMBER")


def test_names_of_other_data_sets_are_ours() -> None:
    rows = [Row(1, {"spans": [{"start": 0, "end": 14, "type": "EMAIL"}]}), Row(2, {})]
    assert read_spans(Path("rows"), rows) == [[MAIL], None]


@pytest.mark.parametrize("spans", [3, ["x"], [{"start": "0", "end": 1, "type": "SSN"}]])
def test_broken_spans_are_named_by_line(spans: object) -> None:
    with pytest.raises(ConfigProblems, match="rows:7: spans must be a list"):
        read_spans(Path("rows"), [Row(7, {"spans": spans})])


def test_only_exact_spans_are_hits() -> None:
    shifted = Span(0, 13, "EMAIL_ADDRESS")
    made = [PiiPrediction([MAIL]), PiiPrediction([shifted, PHONE]), PiiPrediction([MAIL])]
    figures = judge_spans(made, [[MAIL], [MAIL, PHONE], None])
    mail = figures.kinds["EMAIL_ADDRESS"]
    assert (mail.precision, mail.recall, mail.f1) == (share(1, 2), share(1, 2), 0.5)
    assert (figures.rows, figures.labelled) == (3, 2)


def test_kinds_that_no_row_labels_are_not_judged() -> None:
    figures = judge_spans([PiiPrediction([MAIL, PHONE])], [[MAIL, Span(40, 45, "TITLE")]])
    assert set(figures.kinds) == {"EMAIL_ADDRESS"}
    assert figures.structured.f1 == 1.0


def test_finds_in_rows_without_spans_are_false_alarms() -> None:
    figures = judge_spans([PiiPrediction([MAIL]), PiiPrediction([]), PiiPrediction([MAIL])], [[], [], [MAIL]])
    assert figures.false_alarms == share(1, 2)
