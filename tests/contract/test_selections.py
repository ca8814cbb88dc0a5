"""Every registered selection keeps the contract, and the contract sees who breaks it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from router_extproc.routing.rules import Readings
from router_extproc.routing.selection import SELECTIONS
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.selection.expected import COMPLEXITY
from router_extproc.signals.base import Reading
from router_extproc.testing.check_selection import CANDIDATES, check_selection

READINGS = {"complexity": Reading("complexity", "hard", 0.9)}
#: By registry name: a section of the configuration, and readings of the signals that it looks at.
SAMPLES: Mapping[str, tuple[Mapping[str, object], Readings]] = {
    "fixed": ({}, READINGS),
    "weighted": ({}, READINGS),
    "fastest": ({}, READINGS),
    "cheapest": (
        {"quality_min": 0.8},
        {COMPLEXITY: Reading(COMPLEXITY, "hard", 0.9, {"fails": 0.9, "copes": 0.1})},
    ),
    "learned": (
        {"model": "mine", "cost_weight": 0.2},
        {"quality:mine": Reading("quality:mine", "large", 0.9, {"small": 0.3, "medium": 0.6, "large": 0.9})},
    ),
    "bandit": (
        {"model": "mine", "quality_min": 0.6, "explore_share": 0.5},
        {"quality:mine": Reading("quality:mine", "large", 0.9, {"small": 0.3, "medium": 0.6, "large": 0.9})},
    ),
}


@pytest.mark.parametrize("kind", SELECTIONS)
def test_selection_keeps_the_contract(kind: str) -> None:
    section, readings = SAMPLES[kind]
    settings = SELECTIONS[kind].model_validate({"by": kind, **section})
    assert list(settings.problems("decisions[0].selection")) == []
    check_selection(settings.open(), readings)


class Broken:
    """A selection that breaks one rule."""

    def __init__(self, how: str) -> None:
        self.how, self.turn = how, 0
        self.signals = frozenset(["unread"] if how == "unread" else [])
        self.counts_tokens = False
        self.by_need = False

    def choose(self, candidates: Sequence[Candidate], known: Circumstances) -> Choice:
        self.turn += 1
        first, last = candidates[0], candidates[-1]
        usual = Choice(first, "the first")
        broken = {
            "foreign": Choice(CANDIDATES[-1] if known.traffic.down else first, "from elsewhere"),
            "moody": Choice(candidates[self.turn % len(candidates)], "in turn"),
            "silent": Choice(last if "complexity" in known.readings else first, "by complexity"),
            "mute": Choice(first, ""),
            "stranger": Choice(first, "a stranger's", {"nobody": {"quality": 1.0}}),
            "endless": Choice(first, "dear", {first.target.model: {"cost": math.inf}}),
            "uncounted": Choice(last if known.tokens else first, "by length"),
            "barred": Choice(first, "all the same", barred=frozenset([first.target.model])),
            "worse": Choice(first, "near", {first.target.model: {"quality": 0.8, "needed": 0.9}}),
        }
        return broken.get(self.how, usual)


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("foreign", "the only candidate"),
        ("moody", "must be chosen alike"),
        ("silent", "must name the signals"),
        ("unread", "a reading of every signal"),
        ("mute", "say why"),
        ("stranger", "of the candidates"),
        ("endless", "finite"),
        ("uncounted", "counts tokens"),
        ("barred", "what it bars"),
        ("worse", "below the quality needed"),
    ],
)
def test_the_contract_sees_what_is_broken(how: str, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_selection(Broken(how), READINGS)


def test_a_choice_from_elsewhere_is_seen() -> None:
    with pytest.raises(AssertionError, match="one of the candidates"):
        check_selection(Broken("foreign"), READINGS, CANDIDATES[:1])
