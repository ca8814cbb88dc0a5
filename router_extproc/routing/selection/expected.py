"""What a selection expects of each candidate: quality, from a reading, and cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.routing.selection.base import Candidate, Choice, Circumstances
from router_extproc.routing.selection.worth import costs_of
from router_extproc.signals.base import Reading

#: The signal that tells where there is no table, and before the folder the name of one that does.
COMPLEXITY: Final = "complexity of selections"
QUALITY: Final = "quality:"
#: Why the first candidate is chosen when the reading is missing.
UNREAD: Final = "the first that takes it, because no expected quality was read"
#: What rounding may take off a quality.
_SLACK: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Expected:
    """One candidate, as far as it is known."""

    candidate: Candidate
    quality: float
    #: Of this request, in the currency of `models`.
    cost: float

    @property
    def model(self) -> str:
        """Its name."""
        return self.candidate.target.model


@dataclass(frozen=True, slots=True)
class ByExpectation:
    """What selections have in common that look at what is expected of each candidate."""

    #: The signal that tells it.
    signal: str

    @property
    def signals(self) -> frozenset[str]:
        """See Selection."""
        return frozenset([self.signal])

    @property
    def counts_tokens(self) -> bool:
        """See Selection."""
        return True

    @property
    def by_need(self) -> bool:
        """See Selection."""
        return True


def expected_of(candidates: Sequence[Candidate], known: Circumstances, signal: str) -> list[Expected]:
    """What the reading of this signal says of each candidate; nothing where it is missing."""
    expect = _by_complexity if signal == COMPLEXITY else _by_table
    return expect(candidates, known, known.readings.get(signal))


def is_enough(quality: float, needed: float) -> bool:
    """Whether it is as good as needed; what rounding takes off does not count."""
    return quality >= needed - _SLACK


def quality_of(folder: str) -> dict[str, dict[str, str]]:
    """The signal that reads what a table taught."""
    return {QUALITY + folder: {"type": "quality", "model": folder}}


def first_of(candidates: Sequence[Candidate]) -> Choice:
    """The safe choice when nothing is known."""
    return Choice(candidates[0], UNREAD)


def _by_table(
    candidates: Sequence[Candidate], known: Circumstances, reading: Reading | None
) -> list[Expected]:
    """What an evaluation table taught; candidates that the table does not know are left out.

    A model of the table has the candidate's key in `models`, or its served name.
    """
    if reading is None:
        return []
    names = {each.target.model: _name_of(each, reading.scores) for each in candidates}
    tokens = {
        model: reading.answer_tokens[name] for model, name in names.items() if name in reading.answer_tokens
    }
    costs = costs_of(candidates, known.tokens, tokens)
    return [
        Expected(each, reading.scores[name], costs[each.target.model])
        for each in candidates
        if (name := names[each.target.model]) in reading.scores
    ]


def _by_complexity(
    candidates: Sequence[Candidate], known: Circumstances, reading: Reading | None
) -> list[Expected]:
    """What the chance that a weak model fails says: the cheapest candidate is the weak one.

    The dearest is taken to be right; of those between, each step in price lowers the chance by as much.
    """
    if reading is None or not reading.scores:
        return []
    costs = costs_of(candidates, known.tokens, {})
    steps = sorted(set(costs.values()))
    chances = {
        cost: reading.score * (1 - place / (len(steps) - 1)) if len(steps) > 1 else 0.0
        for place, cost in enumerate(steps)
    }
    return [
        Expected(each, 1 - chances[cost], cost) for each in candidates for cost in (costs[each.target.model],)
    ]


def _name_of(candidate: Candidate, scores: Mapping[str, float]) -> str:
    target = candidate.target
    return target.model if target.model in scores else target.served_name
