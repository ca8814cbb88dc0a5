"""How often the cache is wrong, by decision: what trials and complaints have shown.

It compares nothing (`compare.py`). The rules it keeps: the rate is of trials alone, for they are drawn at
random and complaints are not; a client's complaint changes thresholds in its own scope only; and what is
remembered is bounded.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from router_extproc.cache.base import Scope
from router_extproc.cache.false_hits.interval import interval
from router_extproc.cache.false_hits.threshold import CLOSED, TRIALS_MAX, ErrorBound, Trial

#: Scopes whose complaints are remembered; beyond, those of the one that has complained least lately go.
SCOPES_MAX: Final = 1024
#: Complaints of one scope about one decision that are remembered, the latest ones.
COMPLAINTS_MAX: Final = 64

#: Who says that a hit was wrong.
Source = Literal["client", "operator"]


@dataclass(frozen=True, slots=True)
class Gate:
    """What a hit of a decision must pass in a scope."""

    #: Of the verifier.
    score_min: float = 0.0

    @property
    def is_closed(self) -> bool:
        """True while nothing is known well enough to be a hit."""
        return self.score_min >= CLOSED


OPEN: Final = Gate()


@dataclass(frozen=True, slots=True)
class Sample:
    """Some trials."""

    trials: int
    wrong: int

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of the rate of false hits; (0, 1) before the first trial."""
        return interval(self.wrong, self.trials)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one decision."""

    #: The last TRIALS_MAX.
    latest: Sample
    #: Since the start.
    ever: Sample
    #: What a score must reach; None: no bound was asked for.
    score_min: float | None
    complaints: dict[Source, int] = field(default_factory=dict)


class _Decision:
    """What is known of one decision."""

    def __init__(self, rate_max: float | None) -> None:
        self.bound: Final = None if rate_max is None else ErrorBound(rate_max)
        self.latest: Final[deque[bool]] = deque(maxlen=TRIALS_MAX)
        self.trials: Final[Counter[bool]] = Counter()
        self.complaints: Final[Counter[Source]] = Counter()


class Evidence:
    """The evidence of one worker since its start."""

    def __init__(self, rate_max: Callable[[str], float | None]) -> None:
        """`rate_max`: the bound of a decision's false hits; None: it has none."""
        self._rate_max: Final = rate_max
        self._decisions: dict[str, _Decision] = {}
        self._complaints: OrderedDict[tuple[str, Scope], deque[Trial]] = OrderedDict()
        self._gates: dict[tuple[str, Scope], Gate] = {}

    def gate(self, decision: str, scope: Scope) -> Gate:
        """What a hit must pass."""
        bound = self._of(decision).bound
        if bound is None:
            return OPEN
        key = decision, scope
        if key not in self._complaints:
            return Gate(bound.score_min)
        if key not in self._gates:
            self._gates[key] = Gate(bound.score_min_with(self._complaints[key]))
        return self._gates[key]

    def tried(self, decision: str, trial: Trial) -> None:
        """A hit, or what would have been one, was compared with a fresh answer."""
        known = self._of(decision)
        known.latest.append(trial.wrong)
        known.trials[trial.wrong] += 1
        if known.bound is not None:
            known.bound.add(trial)
        self._gates.clear()

    def complained(self, decision: str, trial: Trial, *, source: Source, scope: Scope) -> None:
        """Somebody says that a hit was wrong: an operator for all, a client for its own scope."""
        known = self._of(decision)
        known.complaints[source] += 1
        if source == "operator":
            if known.bound is not None:
                known.bound.add(trial)
            self._gates.clear()
            return
        key = decision, scope
        self._complaints.setdefault(key, deque(maxlen=COMPLAINTS_MAX)).append(trial)
        self._complaints.move_to_end(key)
        self._gates.pop(key, None)
        if len(self._complaints) > SCOPES_MAX:
            forgotten, _ = self._complaints.popitem(last=False)
            self._gates.pop(forgotten, None)

    def findings(self) -> dict[str, Finding]:
        """By decision, in the order in which they were first met."""
        return {name: _finding(known) for name, known in self._decisions.items()}

    def _of(self, decision: str) -> _Decision:
        known = self._decisions.get(decision)
        if known is None:
            known = self._decisions[decision] = _Decision(self._rate_max(decision))
        return known


def _finding(known: _Decision) -> Finding:
    latest = Sample(len(known.latest), sum(known.latest))
    ever = Sample(known.trials.total(), known.trials[True])
    score_min = None if known.bound is None else known.bound.score_min
    return Finding(latest, ever, score_min, dict(known.complaints))
