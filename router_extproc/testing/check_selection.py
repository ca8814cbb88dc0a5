"""The contract of every selection.

Call `check_selection` from a test with the readings that the selection looks at; the first rule that is
broken raises AssertionError with its sentence.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Final

from router_extproc.llm.price import Price
from router_extproc.routing.catalogue import Target
from router_extproc.routing.outcomes.seen import (
    NO_OUTCOMES,
    DecisionOutcomes,
    ModelOutcomes,
    OutcomeSums,
)
from router_extproc.routing.rules import Readings
from router_extproc.routing.selection.base import Candidate, Choice, Circumstances, Selection
from router_extproc.routing.traffic import ALL_UP, TrafficSnapshot
from router_extproc.routing.traffic.snapshot import ModelTraffic
from router_extproc.routing.traffic.sums import Speed
from router_extproc.signals.base import Reading

CANDIDATES: Final = tuple(
    Candidate(Target(name, f"pool_{name}", f"served-{name}", None), price=Price(per_mtok, per_mtok))
    for name, per_mtok in (("small", 0.1), ("medium", 0.3), ("large", 0.9))
)
#: Of a long request.
TOKENS: Final = 100_000
#: Each with every state of outcomes.
CONVERSATIONS: Final = 20
#: Of rounding.
_SLACK: Final = 1e-9
_OUTCOMES: Final = (
    NO_OUTCOMES,
    DecisionOutcomes({"small": ModelOutcomes(heard=OutcomeSums(0.0, 40.0, 30.0))}, 40),
    DecisionOutcomes(
        {
            "small": ModelOutcomes(OutcomeSums(9.0, 0.5, 4.0), OutcomeSums(30.0, 3.0, 20.0)),
            "large": ModelOutcomes(judged=OutcomeSums(0.0, 1e6, 1e6)),
        },
        2**40,
    ),
)
_TRAFFIC: Final = (
    ALL_UP,
    TrafficSnapshot(frozenset(["pool_small"])),
    TrafficSnapshot(frozenset(candidate.target.cluster for candidate in CANDIDATES)),
    TrafficSnapshot(
        models={
            "small": ModelTraffic("paused", available=False, unmeasured=True),
            "medium": ModelTraffic(speed=Speed(0.2, 0.1, 0.02), tokens=50, load=9, answers=99),
            "large": ModelTraffic(speed=Speed(0.4, 0.0, 0.05), tokens=None, usual_load=2.5),
        }
    ),
)


def check_selection(
    selection: Selection, readings: Readings, candidates: Sequence[Candidate] = CANDIDATES
) -> None:
    """Raises AssertionError on the first rule that `selection` breaks.

    readings: of every signal that it looks at.
    """
    _require(selection.signals <= readings.keys(), "give a reading of every signal that it looks at")
    nothing = {name: Reading(name, None, 0.0) for name in readings}
    for read, traffic, tokens in product((readings, nothing, {}), _TRAFFIC, (0, 1, TOKENS)):
        _chooses(selection, candidates, Circumstances(read, traffic, tokens))
    for outcomes, asked in product(_OUTCOMES, range(CONVERSATIONS)):
        known = Circumstances(readings, conversation=asked.to_bytes(16), outcomes=outcomes)
        _chooses(selection, candidates, known)
    _looks_at_nothing_else(selection, candidates, readings)


def _chooses(selection: Selection, candidates: Sequence[Candidate], known: Circumstances) -> None:
    choice = selection.choose(candidates, known)
    _require(choice.candidate in candidates, "it must choose one of the candidates, whatever is known")
    _require(choice == selection.choose(candidates, known), "what is known alike must be chosen alike")
    _explains(choice, candidates)
    _is_good_enough(choice)
    for candidate in candidates:
        alone = selection.choose((candidate,), known).candidate
        _require(alone == candidate, "the only candidate must be chosen")


def _explains(choice: Choice, candidates: Sequence[Candidate]) -> None:
    _require(choice.reason, "it must say why it chose")
    models = {candidate.target.model for candidate in candidates}
    _require(choice.numbers.keys() <= models, "it must give numbers of the candidates alone")
    numbers = (number for each in choice.numbers.values() for number in each.values())
    _require(all(map(math.isfinite, numbers)), "its numbers must be finite")


def _is_good_enough(choice: Choice) -> None:
    """A selection that tells how good a candidate must be keeps to it."""
    model = choice.candidate.target.model
    _require(model not in choice.barred, "it must not choose what it bars")
    told = choice.numbers.get(model, {})
    if "needed" in told:
        _require(told["quality"] >= told["needed"] - _SLACK, "it must not choose below the quality needed")


def _looks_at_nothing_else(selection: Selection, candidates: Sequence[Candidate], readings: Readings) -> None:
    """Other signals may not have been computed, and tokens not been counted."""
    known = Circumstances(readings, tokens=TOKENS)
    choice = selection.choose(candidates, known)
    named = replace(known, readings={name: readings[name] for name in selection.signals})
    _require(choice == selection.choose(candidates, named), "it must name the signals it looks at")
    uncounted = selection.choose(candidates, replace(known, tokens=0))
    _require(selection.counts_tokens or choice == uncounted, "it must say that it counts tokens")


def _require(kept: object, rule: str) -> None:
    if not kept:
        raise AssertionError(rule)
