"""Figures of a replay: how many hits, how many of them wrong, how fast.

A hit that nobody labelled is counted both ways, as if it were right and as if it were wrong, and every
share has its exact interval.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from router_extproc.bench.replay import Lookup
from router_extproc.evaluation.metrics import Estimate, exact_share

#: Points of the curve of hits, at most.
CURVE_POINTS: Final = 50
_P50, _P99 = 0.5, 0.99


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """What one rule made of the stream."""

    rule: str
    lookups: int
    exact_hits: int
    #: Semantic hits by what the labels say of them.
    right: int
    wrong: int
    unlabelled: int
    #: Of all lookups, the hits.
    hit_ratio: Estimate
    #: Of all lookups, the hits that are wrong by their label; then those without a label as well.
    false_hits: Estimate
    false_hits_at_most: Estimate
    #: Of the hits, the right ones: without those that have no label, and with them as wrong ones. None:
    #: there are no hits.
    precision: Estimate | None
    precision_at_least: Estimate | None
    p50_ms: float
    p99_ms: float
    #: Share of hits after every part of the stream, oldest first: lookups and hits so far.
    curve: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class ReplayFigures:
    """One run of `bench cache`."""

    pairs: int
    lookups: int
    #: Texts that differ.
    distinct: int
    #: Lookups that a cache could answer which knows every label: all but the first of each cluster.
    answerable: Estimate
    rules: tuple[RuleFigures, ...]


def judge_replay(rule: str, lookups: Sequence[Lookup]) -> RuleFigures:
    """The figures of one rule; there is at least one lookup."""
    kinds = Counter((each.hit.kind, each.hit.truth) for each in lookups if each.hit is not None)
    right, wrong, unlabelled = (
        kinds["semantic", "right"],
        kinds["semantic", "wrong"],
        kinds["semantic", "unlabelled"],
    )
    exact, total = kinds["exact", "right"], len(lookups)
    hits = exact + right + wrong + unlabelled
    seconds = sorted(each.seconds for each in lookups)
    return RuleFigures(
        rule=rule,
        lookups=total,
        exact_hits=exact,
        right=right,
        wrong=wrong,
        unlabelled=unlabelled,
        hit_ratio=exact_share(hits, total),
        false_hits=exact_share(wrong, total),
        false_hits_at_most=exact_share(wrong + unlabelled, total),
        precision=exact_share(exact + right, hits - unlabelled) if hits > unlabelled else None,
        precision_at_least=exact_share(exact + right, hits) if hits else None,
        p50_ms=1e3 * _quantile(seconds, _P50),
        p99_ms=1e3 * _quantile(seconds, _P99),
        curve=_curve(lookups),
    )


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, math.floor(part * len(ordered)))]


def _curve(lookups: Sequence[Lookup]) -> tuple[tuple[int, int], ...]:
    step = max(1, math.ceil(len(lookups) / CURVE_POINTS))
    points, hits = [], 0
    for number, each in enumerate(lookups, start=1):
        hits += each.hit is not None
        if number % step == 0 or number == len(lookups):
            points.append((number, hits))
    return tuple(points)
