"""How often the cache is wrong, by decision: what shadow comparisons and feedback have shown.

The rate is of comparisons alone: they are drawn at random, feedback is not. A client's feedback changes
thresholds in its own scope only. Memory is bounded.

What is recorded here is told first, and counts once it is applied. Alone, a worker applies at once. Beside
others, all workers apply the same events in the same order (`process.sharing`), so all of them have the same
thresholds, and the sequential test looks at each comparison once.
"""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeAlias

from router_extproc.cache.base import Scope
from router_extproc.cache.false_hits.interval import interval
from router_extproc.cache.false_hits.kept import KeptDecision, KeptEvidence, KeptScope, Source
from router_extproc.cache.false_hits.threshold import CLOSED, RESULTS_MAX, ScoreThreshold, ShadowResult

#: Scopes whose feedback is remembered; beyond, that of the scope that gave feedback least lately is dropped.
SCOPES_MAX: Final = 1024
#: Feedback of one scope about one decision that is remembered, the latest.
FEEDBACK_MAX: Final = 64


@dataclass(frozen=True, slots=True)
class Compared:
    """A hit, or what would have been one, was compared with a fresh answer."""

    decision: str
    result: ShadowResult


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """Somebody says that a hit was wrong: an operator for all, a client for its own scope."""

    decision: str
    result: ShadowResult
    source: Source
    scope: Scope


Event: TypeAlias = Compared | FeedbackGiven


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

    #: The last RESULTS_MAX, of all workers.
    latest: Sample
    #: What this process has recorded since its start.
    own: Sample
    #: What a score must reach; None: no bound was asked for.
    score_min: float | None
    #: What this process has recorded since its start.
    feedback: dict[Source, int] = field(default_factory=dict)
    #: Of all workers, those before a restart included.
    feedback_ever: dict[Source, int] = field(default_factory=dict)


def _threshold(rate_max: float | None) -> ScoreThreshold | None:
    return None if rate_max is None else ScoreThreshold(rate_max)


class _Decision:
    """What is known of one decision."""

    def __init__(self, rate_max: float | None) -> None:
        self.threshold = _threshold(rate_max)
        self.latest: Final[deque[bool]] = deque(maxlen=RESULTS_MAX)
        self.feedback: Final[Counter[Source]] = Counter()
        self.own: Final[Counter[bool]] = Counter()
        self.own_feedback: Final[Counter[Source]] = Counter()

    def kept(self, name: str) -> KeptDecision:
        threshold = None if self.threshold is None else self.threshold.kept()
        return KeptDecision(name, tuple(self.latest), dict(self.feedback), threshold)

    def take_back(self, kept: KeptDecision) -> None:
        self.latest.extend(kept.latest)
        self.feedback.update(kept.feedback)
        if self.threshold is not None and kept.threshold is not None:
            self.threshold.take_back(kept.threshold)


class Gates(Protocol):
    """What hits must pass."""

    def gate(self, decision: str, scope: Scope) -> Gate:
        """What a hit of this decision must pass in this scope."""
        ...

    def read_only(self) -> Gates:
        """The same gates; asking for one changes nothing."""
        ...


class Evidence:
    """What all workers know, as far as this one has applied it."""

    def __init__(self, rate_max: Callable[[str], float | None], *, scopes_max: int = SCOPES_MAX) -> None:
        """`rate_max`: the bound of a decision's false hits; None: it has none."""
        self._scopes_max: Final = scopes_max
        self._rate_max = rate_max
        self._tell: Callable[[Event], None] = self.apply
        self._decisions: dict[str, _Decision] = {}
        self._feedback: OrderedDict[tuple[str, Scope], deque[ShadowResult]] = OrderedDict()
        self._gates: dict[tuple[str, Scope], Gate] = {}

    def share(self, tell: Callable[[Event], None]) -> None:
        """Hand every event to `tell` from now on; it comes back through `apply`, in the common order."""
        self._tell = tell

    def follow(self, rate_max: Callable[[str], float | None]) -> None:
        """Other bounds from now on. A decision whose bound has changed begins its threshold anew."""
        before, self._rate_max = self._rate_max, rate_max
        for name, known in self._decisions.items():
            if rate_max(name) != before(name):
                known.threshold = _threshold(rate_max(name))
        self._gates.clear()

    def read_only(self) -> Gates:
        """See Gates."""
        return _Looking(self)

    def gate(self, decision: str, scope: Scope) -> Gate:
        """See Gates; from now on there are findings of this decision, if only empty ones."""
        self._of(decision)
        return self.look(decision, scope)

    def look(self, decision: str, scope: Scope) -> Gate:
        """What a hit must pass; nothing changes."""
        known = self._decisions.get(decision) or _Decision(self._rate_max(decision))
        threshold = known.threshold
        if threshold is None:
            return OPEN
        key = decision, scope
        if key not in self._feedback:
            return Gate(threshold.score_min)
        if key not in self._gates:
            self._gates[key] = Gate(threshold.score_min_with(self._feedback[key]))
        return self._gates[key]

    def record(self, decision: str, result: ShadowResult) -> None:
        """A hit, or what would have been one, was compared with a fresh answer here."""
        self._of(decision).own[result.wrong] += 1
        self._tell(Compared(decision, result))

    def record_feedback(self, decision: str, result: ShadowResult, *, source: Source, scope: Scope) -> None:
        """Somebody told this process that a hit was wrong."""
        self._of(decision).own_feedback[source] += 1
        self._tell(FeedbackGiven(decision, result, source, scope))

    def apply(self, event: Event) -> None:
        """Learn from an event of any worker."""
        match event:
            case Compared(decision, result):
                self._of(decision).latest.append(result.wrong)
                self._learn(decision, result)
            case FeedbackGiven(decision, result, source, scope):
                self._of(decision).feedback[source] += 1
                if source == "operator":
                    self._learn(decision, result)
                else:
                    self._remember(decision, scope, result)

    def findings(self) -> dict[str, Finding]:
        """By decision, in the order in which they were first met."""
        return {name: _finding(known) for name, known in self._decisions.items()}

    def kept(self) -> KeptEvidence:
        """What is to be kept over a restart."""
        return KeptEvidence(self.kept_decisions(), tuple(self.kept_scopes()))

    def kept_decisions(self) -> tuple[KeptDecision, ...]:
        """The part of it that is by decision."""
        return tuple(known.kept(name) for name, known in self._decisions.items())

    def kept_scopes(self) -> Iterator[KeptScope]:
        """The part that is by scope, as it is now; made as it is asked for, which takes a while."""
        known = tuple((*key, tuple(results)) for key, results in self._feedback.items())
        return (
            KeptScope(decision, scope, tuple((each.score, each.wrong) for each in results))
            for decision, scope, results in known
        )

    def take_back(self, kept: KeptEvidence) -> None:
        """Begin with what was kept, in place of what was applied so far."""
        self._decisions = {name: self._emptied(name, known) for name, known in self._decisions.items()}
        self._feedback.clear()
        self._gates.clear()
        for each in kept.decisions:
            self._of(each.decision).take_back(each)
        for scope in kept.scopes:
            for score, wrong in scope.results:
                self._remember(scope.decision, Scope(scope.scope), ShadowResult(score, wrong=wrong))

    def _emptied(self, name: str, known: _Decision) -> _Decision:
        fresh = _Decision(self._rate_max(name))
        fresh.own.update(known.own)
        fresh.own_feedback.update(known.own_feedback)
        return fresh

    def _learn(self, decision: str, result: ShadowResult) -> None:
        threshold = self._of(decision).threshold
        if threshold is not None:
            threshold.add(result)
        self._gates.clear()

    def _remember(self, decision: str, scope: Scope, result: ShadowResult) -> None:
        key = decision, scope
        self._feedback.setdefault(key, deque(maxlen=FEEDBACK_MAX)).append(result)
        self._feedback.move_to_end(key)
        self._gates.pop(key, None)
        if len(self._feedback) > self._scopes_max:
            forgotten, _ = self._feedback.popitem(last=False)
            self._gates.pop(forgotten, None)

    def _of(self, decision: str) -> _Decision:
        known = self._decisions.get(decision)
        if known is None:
            known = self._decisions[decision] = _Decision(self._rate_max(decision))
        return known


@dataclass(frozen=True, slots=True)
class _Looking:
    """The gates of some evidence, for requests that are only explained."""

    evidence: Evidence

    def read_only(self) -> Gates:
        """See Gates."""
        return self

    def gate(self, decision: str, scope: Scope) -> Gate:
        """See Gates."""
        return self.evidence.look(decision, scope)


def _finding(known: _Decision) -> Finding:
    latest = Sample(len(known.latest), sum(known.latest))
    own = Sample(known.own.total(), known.own[True])
    score_min = None if known.threshold is None else known.threshold.score_min
    return Finding(latest, own, score_min, dict(known.own_feedback), dict(known.feedback))
