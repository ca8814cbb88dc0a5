"""A threshold that keeps the rate of false hits under a bound, learned from comparisons.

It is not a verifier: it only decides how sure the verifier must be. The rule it keeps: with a chance of at
least `CONFIDENCE` for each decision, the true rate of false hits above the threshold is at no time over the
bound, as long as comparisons are drawn like hits (at random, from the same stream).

How: the scores that may be thresholds are few and fixed (`EDGES`). At certain numbers of comparisons
(looks: 64, then doubled) each is tested by the exact binomial test against "the rate above it is over the
bound". Look k may err with the share 1 / (k (k + 1)) of what is allowed in all, divided among the edges,
so that all looks and edges together err as rarely as promised. Between looks a threshold only rises: an
edge that passed is dropped when it would pass no more. Before the first edge has passed, nothing is a
hit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from router_extproc.cache.false_hits.interval import at_most

#: The chance that the bound holds, for one decision and for all time.
CONFIDENCE: Final = 0.95
#: Verifier scores that may be thresholds; the first one is everything that the verifier accepts.
EDGES: Final = (0.0, 0.8, 0.9, 0.95, 0.97, 0.98, 0.99, 0.995)
#: No score reaches it: nothing is a hit.
CLOSED: Final = 2.0
#: Comparisons at the first look; each look comes at twice as many as the one before, and from half of
#: RESULTS_MAX on after every half of it.
LOOK_FIRST: Final = 64
#: Comparisons that count, the latest ones: what was true of older ones need not be true now.
RESULTS_MAX: Final = 4096


@dataclass(frozen=True, slots=True)
class ShadowResult:
    """One hit, or what would have been one, compared with a fresh answer."""

    #: The verifier's.
    score: float
    wrong: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """What a threshold has learned, as plain values."""

    rate_max: float
    #: Score and whether it was wrong, of the latest comparisons.
    results: tuple[tuple[float, bool], ...]
    seen: int
    looks: int
    next_look: int
    passed: tuple[float, ...]


class ScoreThreshold:
    """The threshold of one decision."""

    def __init__(self, rate_max: float) -> None:
        """`rate_max`: share of false hits among hits that may not be exceeded."""
        self._rate_max: Final = rate_max
        self._results: deque[ShadowResult] = deque(maxlen=RESULTS_MAX)
        self._seen = 0
        self._looks = 0
        self._next_look = LOOK_FIRST
        self._passed: frozenset[float] = frozenset()

    def kept(self) -> Kept:
        """All that it has learned, to go on with after a restart."""
        results = tuple((result.score, result.wrong) for result in self._results)
        return Kept(self._rate_max, results, self._seen, self._looks, self._next_look, tuple(self._passed))

    def take_back(self, kept: Kept) -> bool:
        """Go on from there; False: it was learned for another bound, whose looks say nothing of this one."""
        if kept.rate_max != self._rate_max:
            return False
        self._results.extend(ShadowResult(score, wrong=wrong) for score, wrong in kept.results)
        self._seen, self._looks, self._next_look = kept.seen, kept.looks, kept.next_look
        self._passed = frozenset(kept.passed) & frozenset(EDGES)
        return True

    @property
    def score_min(self) -> float:
        """What the verifier's score must reach; CLOSED: no score does."""
        return min(self._passed, default=CLOSED)

    def add(self, result: ShadowResult) -> None:
        """Learn from one comparison."""
        self._results.append(result)
        self._seen += 1
        if self._seen >= self._next_look:
            self._looks += 1
            self._next_look += min(self._next_look, RESULTS_MAX // 2)
            self._passed = self._passing(EDGES, ())
        elif result.wrong:
            self._passed = self._passing(self._passed, ())

    def score_min_with(self, wrong: Iterable[ShadowResult]) -> float:
        """The threshold where these comparisons count, too; it is never lower."""
        return min(self._passing(self._passed, wrong), default=CLOSED)

    def _passing(self, edges: Iterable[float], more: Iterable[ShadowResult]) -> frozenset[float]:
        if not self._looks:
            return frozenset()
        compared = (*self._results, *more)
        above = {edge: [each.wrong for each in compared if each.score >= edge] for edge in edges}
        return frozenset(edge for edge, wrong in above.items() if self._passes(wrong))

    def _passes(self, wrong: list[bool]) -> bool:
        error = (1.0 - CONFIDENCE) / (self._looks * (self._looks + 1)) / len(EDGES)
        return at_most(sum(wrong), len(wrong), self._rate_max) <= error
