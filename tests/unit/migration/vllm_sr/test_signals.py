"""Signals of the old file, kind by kind."""

from __future__ import annotations

from typing import Any

import pytest

from router_extproc.config.document import Document
from router_extproc.migration.old_file import Ledger, OldSection
from router_extproc.migration.vllm_sr.conversation import bounds_of
from router_extproc.migration.vllm_sr.draft import Signals
from router_extproc.migration.vllm_sr.pii_kinds import KINDS
from router_extproc.migration.vllm_sr.signals import READERS, WITHOUT, SignalSettings, read_signals
from router_extproc.signals.pii.signal import KINDS as OUR_KINDS


def section(value: dict[str, Any]) -> OldSection:
    return OldSection(value, "rule", Ledger(Document(value), "old.yaml", {}))


def read(kind: str, **rule: Any) -> tuple[Signals, list[str]]:
    """The signals of one rule, and what was lost."""
    old = section(rule)
    return read_signals({kind: [old]}, SignalSettings()), [item.path for item in old.ledger.not_carried]


@pytest.mark.parametrize(
    ("predicate", "bounds"),
    [
        ({"gte": 2}, {"min": 2}),
        ({"gt": 5, "lte": 99}, {"min": 6, "max": 99}),
        ({"lt": 3}, {"max": 2}),
        ({"lte": 0}, {"max": 0}),
        ({"gte": 1.5}, {"min": 2}),
        ({}, {}),
        ({"lt": 0}, None),
        ({"gt": 4, "lt": 5}, None),
    ],
)
def test_bounds_of_a_count_are_inclusive_whole_numbers(
    predicate: dict[str, float], bounds: dict[str, int] | None
) -> None:
    assert bounds_of(section(predicate)) == bounds


@pytest.mark.parametrize(
    ("written", "tokens"), [("4096", 4096), ("32K", 32_000), ("1.5M", 1_500_000), (" 2k ", 2000)]
)
def test_tokens_are_read_with_their_letter(written: str, tokens: int) -> None:
    signals, _ = read("context", name="long", min_tokens=written)
    assert signals.signals["long"].value["min_tokens"] == tokens


def test_tokens_that_are_no_number_are_a_problem() -> None:
    rule = section({"name": "long", "min_tokens": "many"})
    read_signals({"context": [rule]}, SignalSettings())
    assert "must be a number of tokens" in str(rule.ledger.problems[0])


def test_a_language_that_is_not_told_apart_is_lost() -> None:
    signals, lost = read("language", name="klingon")
    assert signals.tests == {("language", "klingon"): False}
    assert lost == ["rule.name"]


def test_levels_of_complexity_are_ranges_of_one_score() -> None:
    signals, _ = read("complexity", name="c")
    levels = [signals.tests["complexity", f"c:{level}"] for level in ("easy", "medium", "hard")]
    assert levels == [
        {"complexity": {"max": 0.3}},
        {"complexity": {"min": 0.3, "max": 0.6}},
        {"complexity": {"min": 0.6}},
    ]


def test_two_rules_of_one_name_get_signals_of_their_own() -> None:
    rules = {
        "keyword": [section({"name": "x", "operator": "OR", "keywords": ["a"]})],
        "context": [section({"name": "x", "min_tokens": 5})],
    }
    signals = read_signals(rules, SignalSettings())
    assert signals.signals.keys() == {"x", "context-x"}
    assert signals.tests["context", "x"] == {"context-x": True}


def test_a_rule_named_as_a_word_of_rules_gets_another_name() -> None:
    signals, _ = read("keyword", name="all", operator="OR", keywords=["a"])
    assert signals.tests["keyword", "all"] == {"keyword-all": True}


def test_a_rule_without_words_never_holds() -> None:
    assert read("keyword", name="k", operator="OR", keywords=["", " "])[0].tests == {("keyword", "k"): False}


def test_images_are_not_compared_with_examples() -> None:
    signals, lost = read("embedding", name="e", candidates=["a cat"], query_modality="image")
    assert signals.tests == {("embedding", "e"): False}
    assert lost == ["rule.query_modality"]


def test_every_kind_is_read_or_has_a_reason() -> None:
    kinds = {"fact_check", "user_feedback", "reask", "preference", "structure", "modality", "kb", "event"}
    assert kinds | {"metadata", "classifier", "projection"} <= WITHOUT.keys()
    assert not kinds & READERS.keys()


def test_kinds_of_personal_data_are_kinds_of_ours() -> None:
    assert {kind for kind in KINDS.values() if kind is not None} <= set(OUR_KINDS)
