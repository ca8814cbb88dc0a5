"""Every registered selection keeps the contract, and the contract sees who breaks it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from router_extproc.routing.rules import Readings
from router_extproc.routing.selection import SELECTIONS
from router_extproc.routing.selection.base import Candidate
from router_extproc.routing.traffic import TrafficSnapshot
from router_extproc.signals.base import Reading
from router_extproc.testing.check_selection import CANDIDATES, check_selection

READINGS = {"complexity": Reading("complexity", "hard", 0.9)}
#: By registry name: a section of the configuration, and readings of the signals that it looks at.
SAMPLES: Mapping[str, tuple[Mapping[str, object], Readings]] = {"fixed": ({}, READINGS)}


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

    def choose(
        self, candidates: Sequence[Candidate], readings: Readings, traffic: TrafficSnapshot
    ) -> Candidate:
        self.turn += 1
        match self.how:
            case "foreign" if traffic.down:
                return CANDIDATES[-1]
            case "moody":
                return candidates[self.turn % len(candidates)]
            case "silent" if "complexity" in readings:
                return candidates[-1]
        return candidates[0]


@pytest.mark.parametrize(
    ("how", "rule"),
    [
        ("foreign", "the only candidate"),
        ("moody", "the same candidate"),
        ("silent", "must name the signals"),
        ("unread", "a reading of every signal"),
    ],
)
def test_the_contract_sees_what_is_broken(how: str, rule: str) -> None:
    with pytest.raises(AssertionError, match=rule):
        check_selection(Broken(how), READINGS)


def test_a_choice_from_elsewhere_is_seen() -> None:
    with pytest.raises(AssertionError, match="one of the candidates"):
        check_selection(Broken("foreign"), READINGS, CANDIDATES[:1])
