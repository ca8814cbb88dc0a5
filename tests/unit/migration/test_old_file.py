"""Reading another router's file: getters, problems, and what nobody asked for."""

from __future__ import annotations

import pytest

from router_extproc.config.document import load
from router_extproc.errors import ConfigProblems
from router_extproc.migration.old_file import Ledger, Loss, OldSection

LOSSES = {"known*": Loss("it is known", "something")}


def opened(text: str) -> OldSection:
    """The root of a file."""
    document = load(text, "old.yaml")
    assert isinstance(document.value, dict)
    return OldSection(document.value, "", Ledger(document, "old.yaml", LOSSES))


def test_what_nobody_asks_for_is_reported_with_its_path_and_line() -> None:
    root = opened("a: 1\nb: {c: 2, d: 3}\nitems:\n  - {e: 4}\n")
    root.number("a")
    root.section("b").number("c")
    root.sections("items")
    root.report_unread()
    found = [(item.path, item.line) for item in root.ledger.not_carried]
    assert found == [("b.d", 2), ("items[0].e", 4)]


def test_a_section_that_nobody_opens_is_reported_once() -> None:
    root = opened("a: {b: {c: 1}, d: 2}\n")
    root.report_unread()
    assert [item.path for item in root.ledger.not_carried] == ["a"]


def test_what_is_empty_or_switched_off_is_not_missed() -> None:
    root = opened("a: {enabled: false, size: 5}\nb: []\nc: {}\nd: ''\ne: null\n")
    root.report_unread()
    assert root.ledger.not_carried == []


def test_the_reason_is_found_by_the_path_without_indexes() -> None:
    root = opened("known: {items: [{x: 1}]}\nother: 1\n")
    root.section("known").sections("items")
    root.report_unread()
    reasons = {item.path: item.reason for item in root.ledger.not_carried}
    assert reasons == {"known.items[0].x": "it is known", "other": "not a key that this version knows"}


def test_a_section_may_be_opened_twice() -> None:
    """Models are read before and after decisions."""
    root = opened("a: {b: 1}\n")
    assert root.section("a") is root.section("a")
    root.section("a").number("b")
    root.report_unread()
    assert root.ledger.not_carried == []


@pytest.mark.parametrize(
    ("getter", "problem"),
    [
        ("text", "a: must be a text"),
        ("number", "a: must be a number"),
        ("flag", "a: must be true or false"),
        ("section", "a: must be a section"),
        ("sections", "a: must be a list of sections"),
        ("scalar", "a: must be a text, a number or a boolean"),
    ],
)
def test_a_value_of_the_wrong_kind_is_a_problem_with_its_path(getter: str, problem: str) -> None:
    root = opened("b: 1\na: [1, 2]\n")
    getattr(root, getter)("a")
    assert [str(error) for error in root.ledger.problems] == [problem]
    assert root.ledger.problems[0].located() == f"old.yaml:2: {problem}"


def test_all_problems_are_raised_together() -> None:
    root = opened("a: x\nb: y\n")
    root.number("a")
    root.required("c")
    root.integer("b")
    with pytest.raises(ConfigProblems) as raised:
        root.ledger.check()
    assert [error.path for error in raised.value.problems] == ["a", "", "b"]


def test_a_problem_is_told_once_however_often_the_value_is_read() -> None:
    root = opened("a: x\n")
    root.section("a")
    root.section("a")
    assert [str(error) for error in root.ledger.problems] == ["a: must be a section"]


def test_numbers_and_booleans_are_texts_as_written() -> None:
    root = opened("a: 8000\nb: true\nc: text\n")
    assert [root.text(key) for key in ("a", "b", "c", "d")] == ["8000", "true", "text", None]


def test_half_a_number_is_no_whole_one() -> None:
    root = opened("a: 1.5\nb: 2.0\n")
    assert (root.integer("a"), root.integer("b")) == (None, 2)
    assert [str(error) for error in root.ledger.problems] == ["a: must be a whole number"]
