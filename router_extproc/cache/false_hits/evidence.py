"""How often the cache is wrong, by decision: what shadow comparisons and feedback have shown.

The rate is of comparisons alone: they are drawn at random, feedback is not. A client's feedback changes
thresholds in its own scope only. Memory is bounded.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from router_extproc.cache.base import Scope
from router_extproc.cache.false_hits.interval import interval
from router_extproc.cache.false_hits.threshold import CLOSED, RESULTS_MAX, ScoreThreshold, ShadowResult

#: Scopes whose feedback is remembered; beyond, that of the scope that gave feedback least lately is dropped.
SCOPES_MAX: Final = 1024
#: Feedback of one scope about one decision that are remembered, the latest ones.
FEEDBACK_MAX: Final = 64

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
    """Some comparisons."""

    compared: int
    wrong: int

    @property
    def interval(self) -> tuple[float, float]:
        """Exact 95 % interval of the rate of false hits; (0, 1) before the first comparison."""
        return interval(self.wrong, self.compared)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one decision."""

    #: The last RESULTS_MAX.
    latest: Sample
    #: Since the start.
    ever: Sample
    #: What a score must reach; None: no bound was asked for.
    score_min: float | None
    feedback: dict[Source, int] = field(default_factory=dict)


class _Decision:
    """What is known of one decision."""

    def __init__(self, rate_max: float | None) -> None:
        self.threshold: Final = None if rate_max is None else ScoreThreshold(rate_max)
        self.latest: Final[deque[bool]] = deque(maxlen=RESULTS_MAX)
        self.compared: Final[Counter[bool]] = Counter()
        self.feedback: Final[Counter[Source]] = Counter()


class Evidence:
    """The evidence of one worker since its start."""

    def __init__(self, rate_max: Callable[[str], float | None]) -> None:
        """`rate_max`: the bound of a decision's false hits; None: it has none."""
        self._rate_max: Final = rate_max
        self._decisions: dict[str, _Decision] = {}
        self._feedback: OrderedDict[tuple[str, Scope], deque[ShadowResult]] = OrderedDict()
        self._gates: dict[tuple[str, Scope], Gate] = {}

    def gate(self, decision: str, scope: Scope) -> Gate:
        """What a hit must pass."""
        threshold = self._of(decision).threshold
        if threshold is None:
            return OPEN
        key = decision, scope
        if key not in self._feedback:
            return Gate(threshold.score_min)
        if key not in self._gates:
            self._gates[key] = Gate(threshold.score_min_with(self._feedback[key]))
        return self._gates[key]

    def record(self, decision: str, result: ShadowResult) -> None:
        """A hit, or what would have been one, was compared with a fresh answer."""
        known = self._of(decision)
        known.latest.append(result.wrong)
        known.compared[result.wrong] += 1
        if known.threshold is not None:
            known.threshold.add(result)
        self._gates.clear()

    def record_feedback(self, decision: str, result: ShadowResult, *, source: Source, scope: Scope) -> None:
        """Somebody says that a hit was wrong: an operator for all, a client for its own scope."""
        known = self._of(decision)
        known.feedback[source] += 1
        if source == "operator":
            if known.threshold is not None:
                known.threshold.add(result)
            self._gates.clear()
            return
        key = decision, scope
        self._feedback.setdefault(key, deque(maxlen=FEEDBACK_MAX)).append(result)
        self._feedback.move_to_end(key)
        self._gates.pop(key, None)
        if len(self._feedback) > SCOPES_MAX:
            forgotten, _ = self._feedback.popitem(last=False)
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
    ever = Sample(known.compared.total(), known.compared[True])
    score_min = None if known.threshold is None else known.threshold.score_min
    return Finding(latest, ever, score_min, dict(known.feedback))
