"""Rules over readings: what matches, what does not, and what is refused with its path."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router_extproc.errors import ConfigError
from router_extproc.routing.rules import MAX_DEPTH, read_rule
from router_extproc.signals.base import Reading

READINGS = {
    "domain": Reading("domain", "math", 0.8),
    "urgent": Reading("urgent", None, 0.0),
    "complexity": Reading("complexity", None, 0.6),
}


def holds(when: object) -> bool:
    return read_rule(when).holds(READINGS)


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (None, True),
        ({"domain": True}, True),
        ({"domain": False}, False),
        ({"urgent": True}, False),
        ({"urgent": False}, True),
        ({"absent": True}, False),
        ({"absent": False}, True),
        ({"domain": "math"}, True),
        ({"domain": "physics"}, False),
        ({"domain": ["physics", "math"]}, True),
        ({"urgent": ["asap"]}, False),
        ({"complexity": {"min": 0.6}}, True),
        ({"complexity": {"min": 0.61}}, False),
        ({"complexity": {"max": 0.6}}, True),
        ({"complexity": {"max": 0.59}}, False),
        ({"domain": {"any": ["math"], "min": 0.9}}, False),
        ({"domain": {"any": ["math"], "min": 0.5, "max": 0.9}}, True),
        ({"domain": {"any": ["law"]}}, False),
        ({"absent": {"min": 0.0}}, False),
        ({"not": {"domain": "math"}}, False),
        ({"not": {"domain": "law"}}, True),
        ({"all": [{"domain": "math"}, {"complexity": {"min": 0.5}}]}, True),
        ({"all": [{"domain": "math"}, {"urgent": True}]}, False),
        ({"any": [{"domain": "law"}, {"urgent": False}]}, True),
        ({"any": [{"domain": "law"}, {"urgent": True}]}, False),
    ],
)
def test_rule_holds_exactly_when_written_so(when: object, expected: bool) -> None:  # noqa: FBT001
    assert holds(when) is expected


@pytest.mark.parametrize(
    ("when", "path"),
    [
        ("math", "when"),
        ({}, "when"),
        ({"a": True, "b": True}, "when"),
        ({"all": []}, "when.all"),
        ({"any": "math"}, "when.any"),
        ({"all": [{"domain": True}, 7]}, "when.all[1]"),
        ({"not": {"domain": 3}}, "when.not.domain"),
        ({"domain": []}, "when.domain"),
        ({"domain": [1]}, "when.domain"),
        ({"domain": ["a", "a"]}, "when.domain"),
        ({"domain": {}}, "when.domain"),
        ({"domain": {"mim": 0.5}}, "when.domain.mim"),
        ({"domain": {"min": 1.5}}, "when.domain.min"),
        ({"domain": {"min": True}}, "when.domain.min"),
        ({"domain": {"max": "high"}}, "when.domain.max"),
        ({"domain": {"min": 0.9, "max": 0.1}}, "when.domain"),
        ({"domain": {"any": "math"}}, "when.domain.any"),
    ],
)
def test_broken_rule_is_refused_with_its_path(when: object, path: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read_rule(when)
    assert caught.value.path == path


# ── several labels ────────────────────────────────────────────────────────────────────────────

RANKED = Reading("domain", "math", 0.5, {"math": 0.5, "physics": 0.35, "law": 0.05})
SEVERAL = replace(RANKED, also=("physics",))
UNSURE = Reading("domain", None, 0.4, {"math": 0.4, "physics": 0.35, "law": 0.05})
#: A guard's score is the chance of any kind, and more than its likeliest kind has.
SUMMED = Reading("domain", "math", 0.9, {"math": 0.5, "physics": 0.4, "law": 0.1})


@pytest.mark.parametrize(
    ("reading", "test", "expected"),
    [
        (RANKED, "math", True),
        (RANKED, "physics", False),
        (RANKED, {"any": ["physics"]}, False),
        (RANKED, {"any": ["physics", "law"], "min": 0.3}, True),
        (RANKED, {"any": ["physics", "law"], "min": 0.4}, False),
        (RANKED, {"any": ["physics"], "min": 0.3, "max": 0.4}, True),
        (RANKED, {"any": ["physics"], "max": 0.4}, False),
        (RANKED, {"any": ["physics"], "min": 0}, False),
        (RANKED, {"any": ["history"], "min": 0.1}, False),
        (RANKED, {"min": 0.4}, True),
        (RANKED, {"min": 0.3, "max": 0.4}, False),
        (SEVERAL, "physics", True),
        (SEVERAL, ["physics", "law"], True),
        (SEVERAL, "law", False),
        (SEVERAL, {"any": ["physics"], "max": 0.4}, True),
        (SEVERAL, {"any": ["physics"], "max": 0.3}, False),
        (UNSURE, "math", False),
        (UNSURE, {"any": ["math"], "min": 0.4}, True),
        (UNSURE, {"any": ["math"], "min": 0.5}, False),
        (SUMMED, {"any": ["math"], "min": 0.83}, True),
        (SUMMED, {"any": ["physics"], "min": 0.83}, False),
        (SUMMED, {"any": ["math"], "max": 0.83}, False),
    ],
)
def test_a_label_beside_the_best_counts_where_the_signal_or_the_test_says_so(
    reading: Reading, test: object, *, expected: bool
) -> None:
    """What is about maths and physics is about both; without a word of it only the best label counts."""
    assert read_rule({"domain": test}).holds({"domain": reading}) is expected


def test_rule_nested_too_deep_is_refused() -> None:
    """A tree without a bound could exhaust the stack of the process that reads it."""
    when: object = {"domain": True}
    for _ in range(MAX_DEPTH + 1):
        when = {"not": when}
    with pytest.raises(ConfigError, match="nested deeper"):
        read_rule(when)


def test_tests_are_listed_as_an_operator_would_write_them() -> None:
    when = {
        "all": [
            {"domain": ["physics", "math"]},
            {"any": [{"complexity": {"min": 0.5, "max": 0.75}}, {"urgent": True}]},
            {"not": {"urgent": False}},
        ]
    }
    assert [str(test) for test in read_rule(when).tests()] == [
        "domain: math|physics",
        "complexity: min 0.5, max 0.75",
        "urgent: true",
        "urgent: false",
    ]
