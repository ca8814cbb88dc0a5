"""The contract of every selection.

Call `check_selection` from a test with the readings that the selection looks at; the first rule that is
broken raises AssertionError with its sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from router_extproc.routing.catalogue import Target
from router_extproc.routing.rules import Readings
from router_extproc.routing.selection.base import Candidate, Selection
from router_extproc.routing.traffic import ALL_UP, TrafficSnapshot
from router_extproc.signals.base import Reading

CANDIDATES: Final = tuple(
    Candidate(Target(name, f"pool_{name}", f"served-{name}", None)) for name in ("small", "medium", "large")
)
_SOME_DOWN: Final = TrafficSnapshot(frozenset(["pool_small"]))
_ALL_DOWN: Final = TrafficSnapshot(frozenset(candidate.target.cluster for candidate in CANDIDATES))


def check_selection(
    selection: Selection, readings: Readings, candidates: Sequence[Candidate] = CANDIDATES
) -> None:
    """Raises AssertionError on the first rule that `selection` breaks.

    readings: of every signal that it looks at.
    """
    _require(selection.signals <= readings.keys(), "give a reading of every signal that it looks at")
    nothing = {name: Reading(name, None, 0.0) for name in readings}
    for known in (readings, nothing, {}):
        for traffic in (ALL_UP, _SOME_DOWN, _ALL_DOWN):
            _chooses(selection, candidates, known, traffic)
    _looks_at_nothing_else(selection, candidates, readings)


def _chooses(
    selection: Selection, candidates: Sequence[Candidate], readings: Readings, traffic: TrafficSnapshot
) -> None:
    chosen = selection.choose(candidates, readings, traffic)
    _require(chosen in candidates, "it must choose one of the candidates, whatever is known")
    same = selection.choose(candidates, readings, traffic)
    _require(chosen == same, "equal readings and equal traffic must give the same candidate")
    for candidate in candidates:
        alone = selection.choose((candidate,), readings, traffic)
        _require(alone == candidate, "the only candidate must be chosen")


def _looks_at_nothing_else(selection: Selection, candidates: Sequence[Candidate], readings: Readings) -> None:
    """Other signals may not have been computed."""
    named = {name: readings[name] for name in selection.signals}
    chosen = selection.choose(candidates, readings, ALL_UP)
    _require(chosen == selection.choose(candidates, named, ALL_UP), "it must name the signals it looks at")


def _require(kept: object, rule: str) -> None:
    if not kept:
        raise AssertionError(rule)
